"""What the log is told of our own faults, and what it is not."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest
import structlog

from invoice_service.config import load
from invoice_service.domain.invoice import Prepared
from invoice_service.processes.issuer import DirectIssuer
from invoice_service.wiring import init_instance
from tests.domain.samples import order, prepared

NAME = "欧阳娜娜"


class Broken:
    """A store with a fault of ours."""

    def issue(self, batch: Sequence[Prepared], clock: Callable[[], int]) -> NoReturn:
        who = NAME
        raise AssertionError(f"a fault, with {len(who)} letters at hand")


@pytest.fixture
def untouched() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_a_fault_names_its_place_and_no_person(
    untouched: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"FAPIAO_SERVICE_DATA_DIR": str(tmp_path / "data")}
    init_instance(load(None, environ)).close()
    draft = prepared(order(buyer={"name": NAME}))
    DirectIssuer(Broken(), lambda: 0).issue([draft])
    told = capsys.readouterr()
    said = told.out + told.err
    assert "issuing.batch_failed" in said
    assert "a fault, with 4 letters" in said
    for secret in (NAME, repr(draft.buyer_key)[2:-1], draft.order_id):
        assert secret not in said
