"""Arithmetic of the log and of the state map: digests in, roots and paths out. Knows no store."""
