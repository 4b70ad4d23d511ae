"""What the service does, one verb a file: plain functions with explicit dependencies."""
