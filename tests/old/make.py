"""Make an instance as an older commit did, by its own code and fixtures; pack its own backup.

    git worktree add /tmp/before COMMIT; cd /tmp/before
    PYTHONPATH=. PYTHON THIS/make.py NAME.tar.xz

PYTHON is one that has the packages of that commit. Nothing here is of today's code: what an old
instance is, only an old one can say.
"""

import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from tests.api.desk import Desk

PERSON = {"name": "李小明", "address_phone": "13800138000"}


def opened(folder: Path) -> Any:  # noqa: ANN401 # of another commit
    """A restaurant with people at its tills, where that commit has them."""
    try:
        from tests.web.till.counter import TEA, Counter, new_id
    except ImportError:
        return Desk(folder)
    counter = Counter(folder)
    sold = counter.zhang.sell(TEA, {**TEA, "quantity": "2"})
    counter.zhang.take_back(sold, 900, lines=[{"line": 1}])
    open_bill = {"version": 0, "lines": [TEA], "buyer": PERSON}
    counter.zhang.do("PUT", f"bills/{new_id()}", open_bill)
    return counter


def more(desk: Any, folder: Path) -> None:  # noqa: ANN401 # of another commit
    """Orders to claim, prepaid accounts and whatever else its pages show, where it has them."""
    try:
        from tests.browser.site import filled

        filled(desk, "https://fapiao.test", folder)
    except (ImportError, TypeError):
        return


def main(packed: Path) -> None:
    """A day's sales and returns in three blocks, a day later another, and one that waits."""
    with tempfile.TemporaryDirectory() as name, opened(Path(name)) as desk:
        folder, kept = Path(name), Path(name, "kept")
        kept.mkdir()
        sold = [desk.issue(f"old {number}") for number in range(3)]
        sold.append(desk.issue("a person's", buyer=PERSON))
        desk.anchor()
        sold.append(desk.reverse(sold[0]))
        desk.anchor()
        more(desk, folder)
        desk.anchor()
        desk.clock.forward(days=1)
        sold.append(desk.issue("a day later"))
        desk.anchor()
        for one in sold:
            path = f"/v1/invoices/{one['hash']}/proof"
            answer = desk.client.get(path, headers=desk.auth())
            assert answer.status_code == 200, answer.text
            (kept / f"{one['hash']}.fapiao.json").write_bytes(answer.data)
        for by in ("day", "rate", "industry", "district"):
            answer = desk.client.get(f"/v1/reports/totals?by={by}", headers=desk.official())
            assert answer.status_code == 200, answer.text
            (kept / f"{by}.json").write_bytes(answer.data)
        waits = desk.issue("it waits")
        said = {"key": desk.key, "official": desk.official_key, "waits": waits}
        (kept / "said.json").write_text(json.dumps(said), encoding="utf-8")
        program = [sys.executable, "scripts/backup.py"]
        subprocess.run([*program, str(folder / "data"), str(folder / "copy")], check=True)
        with tarfile.open(packed, "w:xz") as archive:
            archive.add(folder / "copy", "data", filter=_plain)
            archive.add(folder / "data" / "keys", "data/keys", filter=_plain)
            archive.add(kept, "kept", filter=_plain)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without whose file it was."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main(Path(sys.argv[1]))
