"""How the calls of all doors are described: OpenAPI 3.1."""
