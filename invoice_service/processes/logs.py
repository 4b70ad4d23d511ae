"""What programs print of trouble: where it was, never what was at hand there.

With rich installed, structlog would print the values of all names beside a traceback, among them
people and their keys.
"""

from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from invoice_service.processes.log_lines import one_event


def plain_logs() -> None:
    """Set it for this process."""
    *before, _ = structlog.get_config()["processors"]
    structlog.configure(processors=[*before, _shown])


def _shown(logger: WrappedLogger, name: str, event: EventDict) -> str:
    return one_event(str(_RENDER(logger, name, event)))


_RENDER: Final = structlog.dev.ConsoleRenderer(
    colors=False, exception_formatter=structlog.dev.plain_traceback
)
