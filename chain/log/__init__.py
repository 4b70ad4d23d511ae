"""Appends and publishes: the one place that writes the log. Its store is ``database``."""
