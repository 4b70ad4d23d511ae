"""What ``/metrics`` shows: answers by endpoint from all web processes, and the store's state."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from invoice_service.api.operations.counts import Counts
from invoice_service.front.crowd import REASONS, Why

BOUNDS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 30000)
NANOSECONDS_PER_MS = 1_000_000
BOUNDS_NS = [bound * NANOSECONDS_PER_MS for bound in BOUNDS_MS]
CLASSES = ("1xx", "2xx", "3xx", "4xx", "503", "5xx")
"""503 by itself: it says come back later, which a crowd of strangers may bring about, while
other answers of its class say that something broke."""
FAILED = ("503", "5xx")
"""Told from 0 on: what begins at 1 has not increased, so the first one would alarm nobody."""
_BUSY, _BROKEN = map(CLASSES.index, FAILED)
OTHER = "other"  # what matched no route
FEEDS = "feeds open"

Gauges = Callable[[], Mapping[str, tuple[str, int | float]]]


class Meter:
    """Counts each answer: endpoint, class of status, time taken; and who was turned away, why."""

    def __init__(self, folder: Path, endpoints: Sequence[str]) -> None:
        self.endpoints = [*endpoints, OTHER]
        names = [name for endpoint in self.endpoints for name in _names(endpoint)]
        names += [name for why in REASONS for name in _turned_away(why)]
        names.append(FEEDS)
        self._counts = Counts(folder, names)
        self._base = {name: self._counts.place(f"{name} 1xx") for name in self.endpoints}
        self._width = len(CLASSES)

    def observe(self, endpoint: str | None, status: int, nanoseconds: int) -> None:
        """One answer went out."""
        base = self._base.get(endpoint or OTHER, self._base[OTHER])
        bucket = base + self._width + 1 + bisect_left(BOUNDS_NS, nanoseconds)
        self._counts.add(
            ((base + _class_of(status), 1), (base + self._width, nanoseconds), (bucket, 1))
        )

    def turned_away(self, why: Why, now: int) -> None:
        """Somebody found no room, at ``now`` (unix seconds)."""
        count, last = map(self._counts.place, _turned_away(why))
        self._counts.add([(count, 1)])
        self._counts.put(last, now)

    def feeds_open(self, count: int) -> None:
        """So many answers of this process stay open now."""
        self._counts.put(self._counts.place(FEEDS), count)

    def last_turned_away(self) -> dict[str, int]:
        """When (unix seconds) that happened last, by reason, whichever the process; 0 for never."""
        numbers = self._counts.most()
        return {why: numbers[_turned_away(why)[1]] for why in REASONS}

    def read(self) -> dict[str, int]:
        """All numbers, summed over the processes."""
        return self._counts.read()


class Exposition(Collector):
    """The meter's numbers and the instance's gauges as Prometheus families."""

    def __init__(self, meter: Meter, gauges: Gauges) -> None:
        self._meter = meter
        self._gauges = gauges
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def describe(self) -> list[Metric]:
        """Nothing in advance: registering must not read the databases."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read everything anew."""
        numbers = self._meter.read()
        answers = CounterMetricFamily(
            "fapiao_answers", "HTTP answers", labels=["endpoint", "status"]
        )
        times = HistogramMetricFamily(
            "fapiao_answer_seconds", "Time from request to answer", labels=["endpoint"]
        )
        for endpoint in self._meter.endpoints:
            for status in CLASSES:
                count = numbers[f"{endpoint} {status}"]
                if count or status in FAILED:
                    answers.add_metric([endpoint, status], count)
            buckets, total = _buckets(numbers, endpoint)
            if total:
                seconds = numbers[f"{endpoint} ns"] / 1e9
                times.add_metric([endpoint], buckets, sum_value=seconds)
        yield answers
        yield times
        yield _crowd(numbers)
        yield GaugeMetricFamily("fapiao_feeds", "Feeds that are open", value=numbers[FEEDS])
        for name, (text, value) in self._gauges().items():
            yield GaugeMetricFamily(name, text, value=value)

    def render(self, accept: str) -> tuple[bytes, str]:
        """(body, content type) in the text form that the scraper asks for."""
        encoder, kind = choose_encoder(accept)
        return encoder(self._registry), kind


def _class_of(status: int) -> int:
    """Which of ``CLASSES`` a status is of."""
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return _BUSY
    return _BROKEN if status >= HTTPStatus.INTERNAL_SERVER_ERROR else status // 100 - 1


def _turned_away(why: Why) -> tuple[str, str]:
    """Under which names it is counted, and the time of the last one kept."""
    return f"turned away {why}", f"turned away {why} at"


def _crowd(numbers: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(
        "fapiao_turned_away", "Requests and connections without room", labels=["reason"]
    )
    for why in REASONS:
        family.add_metric([why], numbers[_turned_away(why)[0]])
    return family


def _names(endpoint: str) -> list[str]:
    bounds = [*(f"{endpoint} le{bound}" for bound in BOUNDS_MS), f"{endpoint} inf"]
    return [*(f"{endpoint} {status}" for status in CLASSES), f"{endpoint} ns", *bounds]


def _buckets(numbers: Mapping[str, int], endpoint: str) -> tuple[list[tuple[str, float]], int]:
    """Cumulative buckets, as Prometheus wants them, and the count of all."""
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound in BOUNDS_MS:
        total += numbers[f"{endpoint} le{bound}"]
        buckets.append((f"{bound / 1000:g}", total))
    total += numbers[f"{endpoint} inf"]
    return [*buckets, ("+Inf", total)], total
