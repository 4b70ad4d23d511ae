"""Programs of others read our log, as our own code made it and our own web serves it."""
