"""What is kept for how long, what goes when, and that nobody who was erased comes back."""
