"""The secret keys of an instance: their folder, how they are read and sealed, their rotation."""
