"""A till makes an order; its customer claims the invoice, once; a payment says that it is paid."""
