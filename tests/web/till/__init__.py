"""The till over its calls."""
