"""Files written whole or not at all: what is left after a failure, a kill, a full disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from longitudinal_al.errors import StorageFailed
from longitudinal_al.project import files
from longitudinal_al.project.files import read_json, write_atomically, write_json
from longitudinal_al.project.lock import writer_lock


def test_a_file_is_replaced_whole_and_its_parents_are_made(tmp_path: Path) -> None:
    path = tmp_path / "ä" / "scan.nii.gz"
    for content in (b"first", b"second"):
        write_atomically(path, lambda temporary, content=content: temporary.write_bytes(content))
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_the_temporary_file_ends_as_the_file_does(tmp_path: Path) -> None:
    seen: list[Path] = []

    def write(temporary: Path) -> None:
        seen.append(temporary)
        temporary.write_bytes(b"x")

    write_atomically(tmp_path / "scan.nii.gz", write)
    assert seen[0].name.endswith(".scan.nii.gz")
    assert seen[0].parent == tmp_path
    assert seen[0].name != "scan.nii.gz"


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})

    def write(temporary: Path) -> None:
        temporary.write_text("half")
        raise error

    with pytest.raises(type(error)):
        write_atomically(path, write)
    assert read_json(path) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_a_storage_failure_and_the_older_file_stays(tmp_path: Path) -> None:
    """A real limit on the size of files, set in a child, stands for a full disk."""
    resource = pytest.importorskip("resource")
    assert resource
    code = """
import resource, sys
from pathlib import Path
from longitudinal_al.errors import StorageFailed
from longitudinal_al.project.files import write_atomically, write_json
path = Path(sys.argv[1])
write_json(path, {"old": 1})
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_atomically(path, lambda temporary: temporary.write_bytes(bytes(1_000_000)))
except StorageFailed as error:
    print(error)
"""
    path = tmp_path / "a.json"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert "the disk is full" in done.stdout
    assert str(path) in done.stdout
    assert read_json(path) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_where_a_folder_should_be_is_a_storage_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageFailed, match=r"cannot write.*a file where a folder is needed"):
        write_json(tmp_path / "file" / "a.json", 1)


def test_a_project_that_was_deleted_is_not_begun_anew_by_one_of_its_files(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    write_json(project / "models" / "one.json", {}, within=project)
    assert (project / "models" / "one.json").is_file()
    shutil.rmtree(project)
    for file in (project / "two.json", project / "models" / "deep" / "two.json"):
        with pytest.raises(StorageFailed, match="check that the disk is there"):
            write_json(file, {}, within=project)
    assert not project.exists()


def test_json_keeps_text_and_turns_what_it_cannot_say_into_null(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(
        path,
        {
            "name": "Müller",
            "nan": float("nan"),
            "infinite": np.float32("inf"),
            "numbers": np.arange(3),
            "path": Path("a") / "b",
            3: (True, None),
        },
    )
    expected = {"name": "Müller", "nan": None, "infinite": None, "numbers": [0, 1, 2], "path": "a/b"}
    assert read_json(path) == {**expected, "3": [True, None]}


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"a": 1'])
def test_damaged_json_reads_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    assert read_json(path) is None
    path.write_bytes(content)
    assert read_json(path) is None


def test_what_a_killed_writer_left_is_removed_after_a_day(tmp_path: Path) -> None:
    folder = tmp_path / "pairs" / "p"
    folder.mkdir(parents=True)
    old, new = folder / ".0123abcd.tmp.stack.npy", folder / ".0123abce.tmp.stack.npy"
    mine = folder / ".notes.tmp.txt"
    for path in (old, new, mine):
        path.write_text("x")
    for path in (old, mine):
        os.utime(path, (0, 0))
    with writer_lock(tmp_path, "preparing"):
        assert sorted(folder.iterdir()) == sorted([new, mine])


def test_on_windows_a_file_that_is_held_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, tries = tmp_path / "ranking.json", []
    replace = Path.replace

    def held(self: Path, target: Path) -> Path:
        tries.append(self)
        if len(tries) < 4:
            raise PermissionError(13, "the file is used by another process")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", held)
    with pytest.raises(StorageFailed):
        write_json(path, {})  # elsewhere it means what it says
    monkeypatch.setattr(files, "_ON_WINDOWS", True)
    write_json(path, {"new": 1})
    assert read_json(path) == {"new": 1}
    assert len(tries) == 4
    tries.clear()
    monkeypatch.setattr(files, "HELD_SECONDS", 0.03)  # for a try or two
    with pytest.raises(StorageFailed, match="another program has the file open"):
        write_json(path, {"newer": 1})
    assert read_json(path) == {"new": 1}
