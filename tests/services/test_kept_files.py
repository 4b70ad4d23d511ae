"""Files of ours are read as such: what a restored copy has in their place opens nothing else."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chain.errors import UnavailableError
from invoice_service.retention.backup import copy_papers
from invoice_service.services.kept_files import read_kept


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pages: one as it was written, links to a key, a folder, a pipe."""
    (tmp_path / "log.key").write_bytes(b"secret")
    pages = tmp_path / "pages"
    (pages / "folder.jpg").mkdir(parents=True)
    (pages / "page.jpg").write_bytes(b"page")
    (pages / "link.jpg").symlink_to(tmp_path / "log.key")
    (pages / "chain.jpg").symlink_to("link.jpg")
    (pages / "lost.jpg").symlink_to("nowhere")
    os.mkfifo(pages / "pipe.jpg")
    return pages


def test_a_file_is_read_and_nothing_in_its_place(folder: Path) -> None:
    found = {path.stem: read_kept(path, "a page") for path in folder.iterdir()}
    assert found.pop("page") == b"page"
    assert set(found.values()) == {None}
    assert read_kept(folder / "none.jpg", "a page") is None
    assert read_kept(folder / "page.jpg/below", "a page") is None
    with pytest.raises(UnavailableError, match="data_unreadable"):
        read_kept(folder / ("n" * 300), "a page")


def test_a_backup_takes_no_link_along(folder: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as rows:
        rows.execute("CREATE TABLE application_papers (name TEXT)")
        names = [(path.stem,) for path in folder.iterdir()]
        rows.executemany("INSERT INTO application_papers VALUES (?)", [*names, ("none",)])
        copy_papers(folder, tmp_path / "copy", rows)
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["page.jpg"]
