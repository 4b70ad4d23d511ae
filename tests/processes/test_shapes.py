"""No thread ever works out a shape: two at once would bring the process down."""

import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE

LOOK = """
import sys
from pathlib import Path
import msgspec
import {first}
{then}
from invoice_service.processes.shapes import _below

worked_out = set()

def note(frame, event, _):
    if event == "call" and frame.f_code.co_name == "get_class_annotations":
        worked_out.add(frame.f_locals["obj"])

sys.setprofile(note)
for shape in _below(msgspec.Struct):
    try:
        msgspec.convert({{}}, shape)
    except (msgspec.ValidationError, TypeError):
        pass
sys.setprofile(None)
for shape in worked_out:
    try:
        msgspec.json.Decoder(shape)
        print(shape.__name__)
    except TypeError:
        pass  # it holds what no message could, and is never read
"""
LAZY = "instance.people, instance.till, instance.claims, instance.prepaid, instance.admission"
WEB = f"""
from invoice_service.wiring import init_instance
from invoice_service.config import load
instance = init_instance(load(None, {{"FAPIAO_SERVICE_DATA_DIR": sys.argv[1]}}))
invoice_service.app.create_app(instance)
{LAZY}
"""


def left_to_work_out(folder: Path, first: str, then: str = "") -> set[str]:
    program = LOOK.format(first=first, then=then)
    said = subprocess.run(
        [sys.executable, "-c", program, folder / "data"],
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    return set(said.stdout.decode().split())


def test_a_web_process_leaves_no_shape_to_its_threads(tmp_path: Path) -> None:
    assert "StoredInvoice" in left_to_work_out(tmp_path, "invoice_service.app")
    assert left_to_work_out(tmp_path, "invoice_service.app", WEB) == set()
