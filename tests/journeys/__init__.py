"""Whole stories, told through the real front doors: processes, HTTP, the command line."""
