"""Hiding groups in a proof already in hand: no log, no key, no network."""

from collections.abc import Collection
from dataclasses import replace

from chain.commitment import GROUPS, document_digest
from chain.errors import MalformedError, VerificationError
from chain.proof.file import HiddenGroup, Proof, digest_of_group


def hide_groups(proof: Proof, names: Collection[str]) -> Proof:
    """The same proof with the named groups as digests; one that was hidden stays so.

    Salt and document go together: with the salt left behind, whoever guesses the document
    could see from the digest that the guess is right.

    Raises MalformedError ``group_unknown``; VerificationError ``hash_mismatch`` for a file whose
    groups belong to another password area: hiding must not cover up which group was changed.
    """
    if not set(names) <= set(GROUPS):
        raise MalformedError("group_unknown", f"the groups are {', '.join(GROUPS)}")
    digests = {name: digest_of_group(name, proof.groups[name]) for name in GROUPS}
    if document_digest(*(digests[name] for name in GROUPS)) != proof.document:
        raise VerificationError("hash_mismatch", "the groups belong to another password area")
    hidden = {name: HiddenGroup(digests[name]) for name in names}
    return replace(proof, groups={**proof.groups, **hidden})
