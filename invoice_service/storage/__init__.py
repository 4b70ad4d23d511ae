"""Where issued invoices, merchants and totals are kept; one package per database engine."""
