"""Colours: all of them stand in one file, and words can be read on what they stand on."""

import re
from pathlib import Path

import pytest

from invoice_service.app import STATIC

SHEETS = sorted(path for path in STATIC.rglob("*.css") if "vendor" not in path.parts)
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b(?![^{}]*\{)|\b(?:rgba?|hsla?|oklch|color-mix)\(")


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def sheets() -> dict[str, dict[str, str]]:
    """The colours by day, by night and on paper; what is not said anew is as by day."""
    day, night, paper = (STATIC / "css/tokens.css").read_text("utf-8").split("@media ")
    assert night.startswith("(prefers-color-scheme: dark)")
    assert paper.startswith("print")
    plain = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", day))
    return {
        "day": plain,
        "night": plain | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", night)),
        "paper": plain | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", paper)),
    }


@pytest.mark.parametrize("sheet", ["day", "night", "paper"])
def test_words_can_be_read_on_their_colours(sheet: str) -> None:
    colours = sheets()[sheet]
    for band in ("good", "wait", "warn", "bad", "none"):
        assert contrast(colours["on"], colours[band]) >= 4.5, band
    for words in ("ink", "quiet", "link", "good-ink", "bad-ink"):
        for ground in ("paper", "ground", "code", "field", "mark"):
            assert contrast(colours[words], colours[ground]) >= 4.5, (words, ground)
    for line in ("edge", "focus", "series", "series-below"):
        assert contrast(colours[line], colours["paper"]) >= 3, line


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_no_colour_stands_outside_of_the_tokens(path: Path) -> None:
    found = [match[0] for match in COLOUR.finditer(path.read_text("utf-8"))]
    assert bool(found) == (path.name == "tokens.css"), found


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_every_token_that_is_used_is_there(path: Path) -> None:
    known = set(re.findall(r"(--[a-z0-9-]+):", (STATIC / "css/tokens.css").read_text("utf-8")))
    assert set(re.findall(r"var\((--[a-z0-9-]+)\)", path.read_text("utf-8"))) <= known
