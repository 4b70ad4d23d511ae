"""The processes of an instance: the tree and its tether, the web process, the issuing process."""
