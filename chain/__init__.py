"""Bytes in, proofs out: an append-only Merkle log that believes nobody.

Whoever reads only this package can check a proof, and nothing of the service around it is
imported. Files here are the ground that all stand on; each room imports only from rooms above it:

``tree`` (arithmetic) · ``signing`` (notes and keys) · ``log`` (appends, publishes) ·
``proof`` (what a holder has; imports no log) · ``witness`` · ``audit`` (what a doubter has).

What checks (``proof`` and all it needs) knows no clock and no network; those who do are told by
their names: ``deadline``, ``exchange``, ``witness.{server,http,client,post}``, ``audit.fetch``.
"""
