"""An order becomes an invoice, an invoice is taken back; what is promised of it."""
