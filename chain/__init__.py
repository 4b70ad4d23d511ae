"""Bytes in, proofs out: an append-only Merkle log that believes nobody.

Whoever reads only this package can check a proof: it imports no clock, no network and
nothing of the service around it.
"""
