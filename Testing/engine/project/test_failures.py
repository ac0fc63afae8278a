"""Damaged, newer, older, locked, full and read-only project files: the answer says what to do."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from longitudinal_al.errors import (
    ProjectBusy,
    ProjectDamaged,
    ProjectTooNew,
    StorageFailed,
)
from longitudinal_al.project import schema
from longitudinal_al.project.database import Database
from longitudinal_al.project.records import Label, Pair, utc_now
from longitudinal_al.project.store import Project


def label(slice_index: int = 0) -> Label:
    mask = np.random.default_rng(slice_index).integers(0, 2, (100, 100), dtype=np.uint8)
    return Label("a", slice_index, mask, "x", utc_now(), utc_now())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file of a closed project with 40 labels."""
    with Project.create(tmp_path / "project") as project:
        project.add_pairs([Pair("a", "Anna", tmp_path / "1", tmp_path / "2")])
        for k in range(40):
            project.save_label(label(k))
    return tmp_path / "project" / "project.sqlite"


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def empty(file: Path) -> None:
    os.truncate(file, 0)


def garbage(file: Path) -> None:
    file.write_bytes(np.random.default_rng(0).bytes(20_000))


def bad_page(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(4096 * 9)
        opened.write(b"\x55" * 4096)


def stranger(file: Path) -> None:
    file.unlink()
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE recipes (name)")
    connection.commit()
    connection.close()


def no_table(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("DROP TABLE meta")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("harm", [cut, empty, garbage, bad_page, stranger, no_table])
def test_a_damaged_file_is_named_and_left_as_it_is(file: Path, harm: Callable[[Path], None]) -> None:
    harm(file)
    before = file.read_bytes()
    with pytest.raises(ProjectDamaged, match=r"project\.sqlite is damaged .*backup"):
        Project.open(file.parent)
    assert file.read_bytes() == before


def test_a_file_damaged_while_open_is_found_by_the_check(file: Path) -> None:
    with Project.open(file.parent) as project:
        bad_page(file)
        assert any("project.sqlite" in problem for problem in project.check())


def test_a_newer_file_is_refused_and_left_as_it_is(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(ProjectTooNew, match=r"file version 99.*update LongitudinalAL"):
        Project.open(file.parent)
    assert file.read_bytes() == before
    assert not list(file.parent.glob("*version*"))


def add_note(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE rounds ADD COLUMN note TEXT NOT NULL DEFAULT ''")


def add_priority(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE pairs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0")


def fail(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE half (x)")
    raise KeyboardInterrupt


def test_an_older_file_is_migrated_and_a_copy_of_it_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps to come are stood in for by two made-up ones."""
    newer = (*schema.MIGRATIONS, add_note, add_priority)
    database = Database(file)
    schema.bring_up_to_date(database, newer)
    assert database.value("PRAGMA user_version") == len(newer)
    assert database.value("SELECT SUM(priority) + COUNT(*) FROM pairs") == 1
    schema.bring_up_to_date(database, newer)  # nothing more to do
    database.close()
    with pytest.raises(ProjectTooNew):
        Project.open(file.parent)
    copy = file.with_name(f"project.version{len(schema.MIGRATIONS)}.sqlite")
    shutil.copy(copy, file)
    with Project.open(file.parent) as project:
        assert len(project.labels()) == 40


def test_a_migration_that_is_stopped_leaves_the_file_as_it_was(file: Path) -> None:
    database = Database(file)
    with pytest.raises(KeyboardInterrupt):
        schema.bring_up_to_date(database, (*schema.MIGRATIONS, add_note, fail))
    database.close()
    with Project.open(file.parent) as project:
        assert len(project.labels()) == 40
        columns = [row["name"] for row in project._database.rows("PRAGMA table_info(rounds)")]
        assert "note" not in columns


def test_a_writer_that_does_not_let_go_makes_the_project_busy(file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    with Project.open(file.parent, busy_seconds=0.2) as project:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ProjectBusy, match="another program is writing"):
            project.save_label(label(50))
        assert project.status()["labelled"] == 40
        other.execute("ROLLBACK")
        project.save_label(label(50))
        assert project.status()["labelled"] == 41
    other.close()


def test_a_busy_file_is_found_out_before_any_work(file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database = Database(file, timeout=0.1)
    began = False
    with pytest.raises(ProjectBusy), database.transaction():
        began = True
    assert not began
    database.close()
    other.close()


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from longitudinal_al.errors import StorageFailed
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project
folder = Path(sys.argv[1])
limit = (folder / "project.sqlite").stat().st_size + 20_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
noise = np.random.default_rng(1)
with Project.open(folder) as project:
    for k in range(100, 200):
        mask = noise.integers(0, 2, (100, 100), dtype=np.uint8)
        try:
            project.save_label(Label("a", k, mask, "x", utc_now(), utc_now()))
        except StorageFailed as error:
            print(error, file=sys.stderr)
            break
        print(k, flush=True)
    assert project.status()["labelled"] == 40 + k - 100
"""


def test_a_full_disk_while_labelling_keeps_all_that_was_acknowledged(file: Path) -> None:
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, file.parent], capture_output=True, text=True, check=True
    )
    acknowledged = {int(line) for line in done.stdout.split()}
    assert 1 <= len(acknowledged) < 50
    assert "disk" in done.stderr
    assert "what was saved before is intact" in done.stderr
    with Project.open(file.parent) as project:
        assert {slice_index for _, slice_index in project.labelled()} == set(range(40)) | acknowledged
        project.save_label(label(300))
        assert not any("sqlite" in problem for problem in project.check())


def test_a_full_database_rolls_back_and_goes_on_when_there_is_room(file: Path) -> None:
    with Project.open(file.parent) as project:
        pages = project._database.value("PRAGMA page_count")
        project._database.value(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StorageFailed, match="the disk is full"):
            for k in range(100, 120):
                project.save_label(label(k))
        saved = project.status()["labelled"]
        project._database.value(f"PRAGMA max_page_count = {pages + 100}")
        project.save_label(label(200))
        assert project.status()["labelled"] == saved + 1


def test_a_read_only_folder_can_be_read_and_says_so_on_writing(file: Path) -> None:
    if os.name != "posix" or os.geteuid() == 0:
        pytest.skip("permissions do not bind this user (root), so a read-only folder cannot be tried")
    file.chmod(0o400)
    file.parent.chmod(0o500)
    try:
        with Project.open(file.parent) as project:
            assert len(project.labels()) == 40
            with pytest.raises(StorageFailed, match="read-only"):
                project.save_label(label(50))
            with pytest.raises(StorageFailed), project.writer_lock("training"):
                pass
    finally:
        file.parent.chmod(0o700)
