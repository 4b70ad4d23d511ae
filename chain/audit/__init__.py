"""What a doubter has: derives everything again, keeps mirrors, makes evidence."""
