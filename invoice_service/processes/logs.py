"""What programs print of trouble: where it was, never what was at hand there.

With rich installed, structlog would print the values of all names beside a traceback, among them
people and their keys.
"""

import structlog


def plain_logs() -> None:
    """Set it for this process."""
    *before, _ = structlog.get_config()["processors"]
    last = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, last])
