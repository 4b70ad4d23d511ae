"""Run by the strangers' own interpreters; nothing of ours is imported here."""
