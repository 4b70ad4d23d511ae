"""The e-invoice service: issues invoices, anchors their hashes, answers for them."""
