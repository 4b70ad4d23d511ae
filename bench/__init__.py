"""What this machine does, and what the service does on it, measured in one run: ``make bench``."""
