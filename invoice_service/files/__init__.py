"""Files of orders: read, issued in batches, and told of what became of each."""
