#!/usr/bin/env python3
"""``backup.py DATA_DIR NEW_FOLDER``: the service's own backup, by nothing but Python."""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]


def main(arguments: list[str]) -> int:
    """Back up; exit status 1 with one line when it failed."""
    if len(arguments) != 2:
        print("usage: backup.py DATA_DIR NEW_FOLDER", file=sys.stderr)
        return 2
    source, target = map(Path, arguments)
    copying = runpy.run_path(str(HERE / "invoice_service/retention/backup.py"))
    try:
        copying["back_up"](source, target)
    except copying["FAULTS"] as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"copied {source} to {target}; its keys are not in it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
