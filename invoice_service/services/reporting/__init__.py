"""What officials and clerks take away: totals at a block, exports."""
