"""Who may do what: admission, keys, signing in."""
