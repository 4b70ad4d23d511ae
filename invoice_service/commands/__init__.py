"""The commands of ``fapiao``, one file per group; ``cli.py`` names them."""
