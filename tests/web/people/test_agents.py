"""What browsers call themselves, in short."""

import pytest

from invoice_service.web.people.agents import short_agent

CHROME = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1 Safari/604.1"


@pytest.mark.parametrize(
    ("said", "short"),
    [
        (f"{CHROME} Safari/537.36", "Chrome · Android"),
        (f"{CHROME} Safari/537.36 Edg/131.0", "Edge · Android"),
        (f"{CHROME} MicroMessenger/8.0", "WeChat · Android"),
        (SAFARI, "Safari · iPhone"),
        (
            "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/156.0.0.0 Safari/537.36",
            "Chrome · Linux",
        ),
        ("curl/8.5", "curl/8.5"),
        ("x" * 300, "x" * 60),
        ("", ""),
    ],
)
def test_short(said: str, short: str) -> None:
    assert short_agent(said) == short
