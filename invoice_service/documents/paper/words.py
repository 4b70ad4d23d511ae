"""Money in the words that cheques and invoices have: 肆佰玖拾捌元壹角整."""

from typing import Final

from invoice_service.domain.money import Fen

_DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"


def in_words(fen: Fen) -> str:
    """The amount as 大写; below zero it begins with （负数）, as on red invoices."""
    yuan, rest = divmod(abs(fen), 100)
    jiao, cents = divmod(rest, 10)
    text = "（负数）" if fen < 0 else ""
    if yuan or not rest:
        from cn2an import an2cn  # slow to load, and wanted by those who write words only

        text += f"{an2cn(str(yuan), 'up')}元"
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    elif yuan and cents:
        text += "零"
    return text + (f"{_DIGITS[cents]}分" if cents else "整")
