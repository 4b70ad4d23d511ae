"""The people's front door: plain pages, no script."""
