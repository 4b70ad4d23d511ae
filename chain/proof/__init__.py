"""What the holder of an invoice has: proof files, their verification, hiding. Imports no log."""
