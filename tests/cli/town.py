"""An instance in a folder, and the command line run within this process."""

import json
from pathlib import Path
from typing import Any

import pytest

from chain.commitment import parse_password_area
from invoice_service.cli import run
from invoice_service.config import load
from invoice_service.services.issuing.reverse import ReversingDesk, reverse
from invoice_service.wiring import open_instance

TAX_ID = "91440300618810208N"
ADMITTING = (
    *("merchants", "add", "--tax-id", TAX_ID, "--name", "深圳旋转餐厅有限公司"),
    *("--industry", "6210", "--district", "440303"),
)


class Town:
    """Runs ``fapiao`` in a folder of its own and reads what it prints."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def run(self, *arguments: str, status: int = 0) -> str:
        """The standard output of a command; fails on another exit status."""
        self._capsys.readouterr()
        found = run(arguments)
        said = self._capsys.readouterr()
        assert found == status, (arguments, found, said.out, said.err)
        return said.out

    def refusal(self, *arguments: str, status: int = 1) -> str:
        """The one line that a command that failed prints on the error output."""
        self._capsys.readouterr()
        found = run(arguments)
        said = self._capsys.readouterr()
        assert found == status, (arguments, found, said.out, said.err)
        return said.err

    def tried(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, standard output and error output of a command, whatever it does."""
        self._capsys.readouterr()
        status = run(arguments)
        said = self._capsys.readouterr()
        return status, said.out, said.err

    def asked(self, *arguments: str, status: int = 0) -> Any:  # noqa: ANN401 # any JSON
        """What a command answers with ``--json``."""
        return json.loads(self.run(*arguments, "--json", status=status))

    def admit(self) -> None:
        """Admit the one restaurant."""
        self.run(*ADMITTING)

    def sell(self, count: int, *, status: int = 0) -> list[dict[str, Any]]:
        """Issue so many orders, each of 113.00 yuan; what the result file says of them."""
        orders = self.folder / "orders.csv"
        rows = [f"o{n},,*餐饮服务*餐费,1,113.00,0.06" for n in range(1, count + 1)]
        header = "order_id,time,item,quantity,unit_price,tax_rate"
        orders.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        said = self.asked("issue", str(orders), "--merchant", TAX_ID, status=status)
        lines = Path(said["results"]).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def reverse(self, hash_: str, **asked: object) -> None:
        """Take an invoice back, or what is ``asked`` of it, as its merchant."""
        config = load(self.folder / "config.toml", {})
        instance = open_instance(config)
        desk = ReversingDesk(instance.store, instance.issuer, instance.randbytes)
        reverse(
            desk,
            1,
            parse_password_area(hash_),
            json.dumps({"reason": "SALES_RETURN", **asked}).encode(),
        )
        instance.close()
