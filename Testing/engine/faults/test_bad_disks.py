"""Full, read-only, slow and vanishing disks: errors that say what to do, and no acknowledged label lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from longitudinal_al.errors import StorageFailed
from longitudinal_al.project.files import read_json
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project

# Saves labels until it is refused, says why, and goes on when it is told to.
LABELLER = """
numbers = itertools.count(int(sys.argv[2]))
with Project.open(Path(sys.argv[1])) as project:
    for number in numbers:
        try:
            project.save_label(label(number))
        except StorageFailed as error:
            print("refused", error, flush=True)
            break
        acknowledge(number)
    assert len(project.labels()) == number
    assert sys.stdin.readline() == "go on\\n"
    for number in range(number, number + 5):
        project.save_label(label(number))
        acknowledge(number)
"""
# Writes rankings until it is refused.
RANKER = """
from longitudinal_al.project.ranking_file import write_ranking
for seed in itertools.count(1):
    try:
        write_ranking(Path(sys.argv[1]), "difference", seed, [{"pair": "p", "slice": k} for k in range(500)])
    except StorageFailed as error:
        print("refused", error, flush=True)
        break
    acknowledge(seed)
"""


@pytest.fixture
def switch(tmp_path: Path) -> Path:
    """Return the file that switches the misbehaviour on while it is there."""
    (tmp_path / "switch").touch()
    return tmp_path / "switch"


@pytest.fixture
def on_disk(start, disk: str, folder: Path, switch: Path):
    """Return a function that starts a process whose project lies on a misbehaving disk."""

    def run(code: str, *words: object, **misbehaviour: str):
        settings = {"LD_PRELOAD": disk, "DISK_ROOT": str(folder), "DISK_SWITCH": str(switch)}
        return start(code, folder, *words, **settings, **misbehaviour)

    return run


def until_refused(process) -> tuple[list[int], str]:
    """Read what is acknowledged, and the message of the refusal."""
    acknowledged = []
    for line in process.stdout:
        if line.startswith("refused"):
            return acknowledged, line
        acknowledged.append(int(line))
    raise AssertionError(process.stderr.read())


def test_a_full_disk_refuses_a_label_and_takes_it_when_there_is_room(
    on_disk, folder: Path, switch: Path, times, numbers_saved, generator: np.random.Generator
) -> None:
    expected: set[int] = set()
    for _ in range(times(4, 100)):
        switch.touch()
        process = on_disk(LABELLER, len(expected), DISK_FULL=str(generator.integers(0, 150_000)))
        acknowledged, message = until_refused(process)
        assert "disk" in message
        assert "what was saved before is intact" in message
        switch.unlink()
        rest, errors = process.communicate("go on\n")
        assert process.returncode == 0, errors
        expected |= {*acknowledged, *map(int, rest.split())}
        assert numbers_saved(folder) == expected


def test_a_read_only_folder_refuses_labels_and_can_be_read(
    on_disk, folder: Path, switch: Path, numbers_saved
) -> None:
    switch.unlink()
    process = on_disk(LABELLER, 0, DISK_RDONLY="1")
    acknowledged = [int(process.stdout.readline()) for _ in range(5)]
    switch.touch()  # while it is open
    more, message = until_refused(process)
    assert "what was saved before is intact" in message
    late = on_disk(LABELLER, len(acknowledged + more), DISK_RDONLY="1")  # opened when it is so already
    nothing, message = until_refused(late)
    assert nothing == []
    assert "read-only" in message
    late.kill()
    switch.unlink()
    rest, errors = process.communicate("go on\n")
    assert process.returncode == 0, errors
    assert numbers_saved(folder) == {*acknowledged, *more, *map(int, rest.split())}


@pytest.mark.parametrize("misbehaviour", [{"DISK_FULL": "60000"}, {"DISK_RDONLY": "1"}])
def test_a_ranking_that_cannot_be_written_leaves_the_one_before(
    on_disk, folder: Path, switch: Path, misbehaviour: dict[str, str]
) -> None:
    if "DISK_RDONLY" in misbehaviour:
        switch.unlink()
    process = on_disk(RANKER, **misbehaviour)
    first = int(process.stdout.readline())
    switch.touch()
    acknowledged, message = until_refused(process)
    assert process.wait() == 0
    assert "full" in message or "not allowed" in message
    ranking = read_json(ranking_path(folder))
    assert ranking["seed"] == [first, *acknowledged][-1]
    assert len(ranking["ranking"]) == 500
    if "DISK_FULL" in misbehaviour:
        assert [path.name for path in ranking_path(folder).parent.iterdir()] == ["ranking.json"]


def test_two_annotators_on_a_slow_share_both_save(on_disk, folder: Path, start, disk: str) -> None:
    """Every fsync takes 200 ms, so that each waits for the other again and again."""
    code = """
with Project.open(Path(sys.argv[1])) as project:
    for number in range(int(sys.argv[2]), int(sys.argv[2]) + 2):
        project.save_label(label(number))
        acknowledge(number)
"""
    both = [on_disk(code, first, DISK_SLOW="200") for first in (0, 100)]
    for process, first in zip(both, (0, 100), strict=True):
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert [int(line) for line in out.split()] == list(range(first, first + 2))
    with Project.open(folder) as project:
        assert len(project.labels()) == 4


def label(number: int) -> Label:
    return Label("p", number, np.ones((4, 4), np.uint8), "x", utc_now(), utc_now())


@pytest.mark.parametrize("is_back", [False, True])
def test_a_folder_deleted_while_open_takes_no_label_for_saved(folder: Path, is_back: bool) -> None:
    with Project.open(folder) as project:
        project.save_label(label(1))
        backup = folder.with_name("backup")
        shutil.copytree(folder, backup)
        try:
            shutil.rmtree(folder)
        except PermissionError:
            pytest.skip("this system does not let go of an open file")
        if is_back:
            backup.rename(folder)
        with pytest.raises(StorageFailed, match=r"read-only|is gone"):
            project.save_label(label(2))
        if not is_back:
            with pytest.raises(StorageFailed), project.writer_lock("preparing"):
                pass
    with Project.open(folder if is_back else backup) as project:
        project.save_label(label(2))
        assert project.labelled() == {("p", 1), ("p", 2)}
