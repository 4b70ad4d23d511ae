"""Signing a paper (PAdES, ETSI EN 319 142-1, level B-B) with the certificate that settings name.

The proof inside speaks for the invoice; this says to people's PDF readers who made the file, and
that nothing in it was changed. pyHanko is an extra: ``pip install fapiao[sign]``.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

from chain.errors import UnavailableError
from invoice_service.documents.paper.job import Job
from invoice_service.documents.paper.press import printed
from invoice_service.sections import Paper

FIELD: Final = "Signature1"

Make = Callable[[Job], bytes]


def maker_of(settings: Paper, make: Make = printed) -> Make:
    """What makes papers: signed ones where a certificate is named, and then no others."""
    if not settings.certificate:
        return make
    return lambda job: signed(make(job), settings)


def signed(data: bytes, settings: Paper) -> bytes:
    """The same file with a signature that nobody sees; UnavailableError ``paper_unsigned``."""
    try:
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
        from pyhanko.sign import fields, signers
    except ImportError:
        raise _unsigned("pyHanko is missing: pip install 'fapiao[sign]'") from None
    signer = _signer(signers, settings)
    wanted = signers.PdfSignatureMetadata(
        field_name=FIELD, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES
    )
    try:
        made = signers.sign_pdf(IncrementalPdfFileWriter(BytesIO(data)), wanted, signer=signer)
    except Exception as error:  # a library that reads and writes PDFs raises many things
        raise _unsigned(f"{type(error).__name__}: {error}") from error
    return bytes(made.getvalue())


def _signer(signers: Any, settings: Paper) -> Any:  # noqa: ANN401 # an extra, which may be missing
    """Key and certificates, read each time: one that was renewed counts at once."""
    chain = [settings.chain] if settings.chain else []
    try:
        found = signers.SimpleSigner.load(
            settings.key, settings.certificate, ca_chain_files=chain, key_passphrase=None
        )
    except (OSError, ValueError, TypeError) as error:
        raise _unsigned(f"{settings.key}, {settings.certificate}: {error}") from error
    if found is None:  # the library has said why in its log
        raise _unsigned(f"{settings.key} or {settings.certificate} cannot be read")
    return found


def _unsigned(why: str) -> UnavailableError:
    return UnavailableError("paper_unsigned", f"the paper cannot be signed: {why}")
