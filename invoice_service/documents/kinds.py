"""What a file is that is no table which can be read: named, so that people know what to do."""

from typing import IO, Final
from zipfile import ZipFile

from chain.errors import MalformedError

ZIP: Final = b"PK\x03\x04"

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # [MS-CFB] 2.2: .xls, and what has a password
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] 2.3.4.4
_ODS: Final = b"application/vnd.oasis.opendocument"
_OTHERS: Final = {
    b"%PDF-": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"Rar!": "an archive",
    b"7z\xbc\xaf": "an archive",
    b"\x1f\x8b": "a compressed file",
}
_BEGINNING: Final = 8
_CHUNK: Final = 1 << 16


def refuse_other_kinds(file: IO[bytes]) -> None:
    """Refuse what is known by its first bytes and is neither text nor packed.

    Reads from the file's beginning, and leaves it there.
    MalformedError: xls_file, workbook_encrypted, not_a_table.
    """
    file.seek(0)
    beginning = file.read(_BEGINNING)
    try:
        if beginning == _OLE:
            raise _encrypted() if _holds(file, _ENCRYPTED) else _xls()
        for mark, kind in _OTHERS.items():
            if beginning.startswith(mark):
                raise _other(kind)
    finally:
        file.seek(0)


def refuse_other_packages(archive: ZipFile) -> None:
    """Refuse what is packed like a workbook and is none, or one that runs programs.

    MalformedError: ods_file, xls_file, workbook_macros, not_a_table; BadZipFile.
    """
    names = set(archive.namelist())
    if "xl/vbaProject.bin" in names:
        raise MalformedError(
            "workbook_macros", "the workbook has macros (.xlsm): save it anew as .xlsx"
        )
    if "xl/workbook.bin" in names:
        raise _xls()
    if "xl/workbook.xml" in names:
        return
    if "mimetype" in names and _beginning(archive, "mimetype").startswith(_ODS):
        raise MalformedError(
            "ods_file", "this is an OpenDocument file (.ods): save it as .xlsx, or as CSV UTF-8"
        )
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        raise _other("a text or a presentation")
    if "[Content_Types].xml" not in names:
        raise _other("an archive")


def _beginning(archive: ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        return member.read(len(_ODS))


def _holds(file: IO[bytes], sought: bytes) -> bool:
    kept = b""
    while chunk := file.read(_CHUNK):
        if sought in kept + chunk:
            return True
        kept = chunk[-len(sought) :]
    return False


def _encrypted() -> MalformedError:
    return MalformedError(
        "workbook_encrypted", "the workbook has a password: take it off, and save it anew"
    )


def _xls() -> MalformedError:
    return MalformedError(
        "xls_file", "this is a workbook of an older kind (.xls, .xlsb): save it anew as .xlsx"
    )


def _other(kind: str) -> MalformedError:
    return MalformedError("not_a_table", f"this is {kind}: send .xlsx, or CSV")
