"""From rows to the log: batches, daily closings, totals of sealed blocks."""
