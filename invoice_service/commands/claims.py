"""What a person hands to ``fapiao verify``: a hash, a QR text, a picture, or a proof file."""

import re
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import zxingcpp
from PIL import Image, UnidentifiedImageError

from chain.commitment import parse_password_area, password_area
from chain.errors import MalformedError
from chain.proof.file import MAX_PROOF_BYTES, Proof, ShownGroup, parse_proof
from invoice_service.domain.qrtext import QrText, parse_qr_text

MAX_PICTURE_BYTES: Final = 64 << 20

_HASH = re.compile(r"01[0-9a-f]{64}")
_LIKE_A_FILE = re.compile(r".*\.(json|png|jpe?g|gif|bmp|webp|tiff?)", re.IGNORECASE | re.DOTALL)


class Claim(NamedTuple):
    """The password area, and what else is said of the invoice."""

    hash: str
    slip: QrText | None = None
    proof: Proof | None = None


def read_claim(text: str) -> Claim:
    """Make out what ``text`` is: the name of a file, or the thing itself.

    Raises MalformedError: file_missing, picture_unreadable, qr_not_found, qr_several, and those of
    ``parse_proof`` and ``parse_qr_text``.
    """
    path = Path(text)
    if len(text) < 1024 and path.is_file():
        return _from_file(path)
    if _HASH.fullmatch(text.strip()):
        return Claim(text.strip())
    if "://" not in text and _LIKE_A_FILE.fullmatch(text):
        raise MalformedError("file_missing", f"there is no file {text}")
    return _from_slip(parse_qr_text(text))


def _from_slip(slip: QrText) -> Claim:
    return Claim(slip.hash, slip)


def _from_file(path: Path) -> Claim:
    with path.open("rb") as file:
        start = file.read(1)
        if start == b"{":
            return _from_proof(start + file.read(MAX_PROOF_BYTES))
    return _from_slip(read_picture(path))


def _from_proof(data: bytes) -> Claim:
    proof = parse_proof(data)
    return Claim(password_area(proof.document), proof_slip(proof), proof)


class _Face(msgspec.Struct):
    number: str
    total: int


def proof_slip(proof: Proof) -> QrText | None:
    """What the invoice's own QR code would say, where the proof shows the face."""
    face = proof.groups["face"]
    if not isinstance(face, ShownGroup):
        return None
    try:
        shown = msgspec.json.decode(face.document, type=_Face)
    except msgspec.MsgspecError:
        return None  # whatever it is, the log may hold it; it is no invoice's face
    return QrText(hash=password_area(proof.document), number=shown.number, total=shown.total)


def read_picture(path: Path) -> QrText:
    """The one invoice code in a picture; other codes beside it do not matter."""
    if path.stat().st_size > MAX_PICTURE_BYTES:
        raise MalformedError("picture_unreadable", f"{path} is over 64 MiB")
    try:
        with Image.open(path) as picture:
            found = zxingcpp.read_barcodes(picture.convert("L"))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as error:
        raise MalformedError("picture_unreadable", f"{path} is no picture: {error}") from None
    slips = {slip.hash: slip for code in found if (slip := _try_slip(code.text)) is not None}
    if not slips:
        raise MalformedError("qr_not_found", f"{path} shows no invoice's QR code")
    if len(slips) > 1:
        raise MalformedError("qr_several", f"{path} shows {len(slips)} invoices; cut one out")
    return next(iter(slips.values()))


def _try_slip(text: str) -> QrText | None:
    try:
        slip = parse_qr_text(text)
        parse_password_area(slip.hash)
    except MalformedError:
        return None
    return slip
