"""Who may do what, and who did: admission, keys, signing in, refusals, the trail."""
