"""Bytes in, proofs out: an append-only Merkle log that believes nobody.

Whoever reads only this package can check a proof, and nothing of the service around it is
imported. What checks (``verify`` and all it needs) knows no clock and no network; those who do are
told by their names: ``witness_server``, ``witness_http``, ``witness_client``, ``witness_post``,
``fetch``, ``deadline``.
"""
