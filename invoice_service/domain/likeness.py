"""How what is typed to find somebody is compared with names, wherever names are searched."""

import unicodedata


def folded(text: str) -> str:
    """``text`` as names are compared: without width and case, by Unicode alone (NFKC_Casefold).

    So letters, digits and brackets of a Chinese keyboard are those of any other, É is é and ß is
    ss. No language is special, Turkish neither; and of signs that only look or mean alike (發 and
    发) each stays itself.
    """
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", plain)


def typed_tax_id(text: str) -> str:
    """A tax id, or its beginning, as it is kept: people type it in groups, or wide."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()
