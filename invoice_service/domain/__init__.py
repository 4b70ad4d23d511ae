"""What an invoice is. Pure: no clock, no randomness, no input or output, no float."""
