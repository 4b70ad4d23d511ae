"""What is computed at the till, without a store."""
