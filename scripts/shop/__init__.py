"""A shop's orders with all that shops sell, issued and added up by somebody else."""
