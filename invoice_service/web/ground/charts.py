"""Charts: drawn here as SVG, without script; the same numbers stand in a table below each."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from flask_babel import gettext as _
from markupsafe import Markup

WIDTH: Final = 480
HEIGHT: Final = 200
FOOT: Final = 28  # for the names below
NAME: Final = 56  # that a name needs
GAP: Final = 4


class Bar(NamedTuple):
    """One value; ``shown`` is how people write it."""

    name: str
    value: int
    shown: str


def bars(values: Sequence[Bar]) -> Markup:
    """Bars from a line at zero, up or down; who hears a page has the sentence and the table."""
    highest = max((bar.value for bar in values), default=0)
    lowest = min((bar.value for bar in values), default=0)
    top, bottom = max(highest, 0), min(lowest, 0)
    span = top - bottom or 1
    room = HEIGHT - FOOT
    zero = room * top // span
    step = max(WIDTH // max(len(values), 1), 1)
    width = max(WIDTH, step * len(values))
    every = -(-NAME // step)
    drawn = [
        _bar(bar, n * step, step, zero, tall=abs(bar.value) * room // span)
        + (_name(bar, n * step + step // 2) if n % every == 0 else Markup(""))
        for n, bar in enumerate(values)
    ]
    line = Markup('<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>').format(width, zero, zero)
    return Markup('<svg class="bars" viewBox="0 0 {} {}" aria-hidden="true">{}{}</svg>').format(
        width, HEIGHT, Markup("").join(drawn), line
    )


def _bar(bar: Bar, left: int, step: int, zero: int, *, tall: int) -> Markup:
    kind, top = ("bar", zero - tall) if bar.value >= 0 else ("bar below", zero)
    rectangle = Markup(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>'
    )
    gap = min(GAP, step - 1)
    return rectangle.format(kind, left + gap // 2, top, step - gap, tall, bar.name, bar.shown)


def _name(bar: Bar, middle: int) -> Markup:
    return Markup('<text x="{}" y="{}">{}</text>').format(middle, HEIGHT - 8, bar.name)


def in_words(values: Sequence[Bar]) -> str:
    """The chart in a sentence: how many values, the highest and the lowest."""
    if not values:
        return str(_("No values."))
    highest = max(values, key=lambda bar: bar.value)
    lowest = min(values, key=lambda bar: bar.value)
    said: str = _(
        "%(count)s values; the highest is %(most)s (%(when)s), the lowest %(least)s (%(then)s).",
        count=len(values),
        most=highest.shown,
        when=highest.name,
        least=lowest.shown,
        then=lowest.name,
    )
    return said
