"""What a text that somebody looks for may mean."""

import pytest

from invoice_service.web.explorer.asked import LONGEST, Asked, asked

AREA = "01" + "ab" * 32
ANCHOR = "cd" * 32


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("0", Asked(number=0)),
        ("12", Asked(number=12)),
        ("1,234", Asked(number=1234)),
        (" 9 ", Asked(number=9)),
        ("12345678", Asked(number=12345678, unsaid="number")),
        ("00000001", Asked(unsaid="number")),
        ("0815", Asked(unsaid="unclear")),
        ("-1", Asked(unsaid="unclear")),
        ("١٢", Asked(unsaid="unclear")),
        ("9" * 17, Asked(unsaid="unclear")),
        ("2026-11-21", Asked(day="2026-11-21")),
        ("2026-02-30", Asked(unsaid="unclear")),
        (ANCHOR, Asked(anchor=bytes.fromhex(ANCHOR))),
        (ANCHOR.upper(), Asked(anchor=bytes.fromhex(ANCHOR))),
        (ANCHOR[:-1], Asked(unsaid="unclear")),
        (AREA, Asked(unsaid="password_area")),
        (f"{AREA[:20]} {AREA[20:40]}\n{AREA[40:]}", Asked(unsaid="password_area")),
        (AREA.upper(), Asked(unsaid="password_area")),
        (f"https://x.cn/verify/scan?hash={AREA}&bill_num=1", Asked(unsaid="password_area")),
        (AREA + "0", Asked(unsaid="unclear")),
        ("x" * (LONGEST + 1), Asked(unsaid="unclear")),
        ("", Asked(unsaid="unclear")),
    ],
)
def test_what_is_meant(text: str, meant: Asked) -> None:
    assert asked(text) == meant
