"""Who is turned away is counted each time, and told once a minute."""

import pytest

from invoice_service.front.crowd import REASONS, Crowd


def test_of_each_reason_a_line_a_minute_says_how_many(caplog: pytest.LogCaptureFixture) -> None:
    now, counted = [5.0], list[str]()
    crowd = Crowd(counted.append, lambda: now[0])

    def told() -> list[str]:
        lines = [
            record.getMessage().removeprefix("turned away for want of room: ")
            for record in caplog.records
        ]
        caplog.clear()
        return lines

    for _ in range(3):
        crowd.note("bodies_full")
    crowd.note("connections_full")
    assert told() == ["bodies_full, 1", "connections_full, 1"]
    now[0] += 59.9
    crowd.note("bodies_full")
    assert told() == []
    now[0] += 0.1
    crowd.note("bodies_full")
    assert told() == ["bodies_full, 4"]
    assert (counted.count("bodies_full"), counted.count("connections_full")) == (5, 1)


def test_nobody_has_to_count() -> None:
    for why in REASONS:
        Crowd().note(why)
