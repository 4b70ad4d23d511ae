"""A witness, and those who ask one: what it signs (``judge``), its server, its clients."""
