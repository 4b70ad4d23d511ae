"""Cosign the checkpoints of one log as a witness does, and tell a socket each cosignature.

Usage: cosigner FOLDER SIZES...; ``FORGET`` names a kind of sync to be careless about,
and ``NOTES=none`` leaves out the second copy.
"""

import os
import socket
import sys
from pathlib import Path

import chain.witness.database as store_module
from chain.signing.cosignature import Cosigner
from chain.witness.database import WitnessStore
from chain.witness.judge import Witness
from chain.witness.server import KEY_FILE, read_key
from tests.chain.histories import history
from tests.power.programs.careless import forget

ENTRIES = 60
LOG = history(ENTRIES)


def main(folder: str, *sizes: str) -> None:
    """Cosign tree after tree."""
    forget(os.environ.get("FORGET", ""))
    if os.environ.get("NOTES") == "none":
        store_module.write_file = lambda *_: None  # type: ignore[attr-defined]  # on purpose
    told, _listener = socket.socketpair()
    cosigner = Cosigner(read_key(Path(folder, KEY_FILE)))
    store = WitnessStore(Path(folder))
    store.claim(cosigner.verifier)
    witness = Witness(cosigner, LOG.keys, store, lambda: 1_800_000_000)
    old = 0
    for new in map(int, sizes):
        told.send(witness.add_checkpoint(LOG.request(old, new)).encode())
        old = new
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
