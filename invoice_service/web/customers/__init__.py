"""Pages for whoever holds an invoice: scan, verdict, check of a file, problems."""
