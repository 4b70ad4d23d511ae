"""Who says so: notes, checkpoints, cosignatures, keys, key statements, policies of witnesses."""
