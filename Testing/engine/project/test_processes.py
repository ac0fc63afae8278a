"""Several processes, and processes that are killed: what was acknowledged is there."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from longitudinal_al.errors import ProjectBusy
from longitudinal_al.project.lock import worker_lock
from longitudinal_al.project.records import Pair
from longitudinal_al.project.store import Project

LABELLER = """
import itertools, sys
from pathlib import Path
import numpy as np
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project
folder, pair, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
noise = np.random.default_rng(0)
with Project.open(folder) as project:
    for k in itertools.count() if count == 0 else range(count):
        mask = noise.integers(0, 2, (200, 200), dtype=np.uint8)
        mask[0, :20] = [(k >> bit) & 1 for bit in range(20)]
        project.save_label(Label(pair, k, mask, pair, utc_now(), utc_now()))
        print(k, flush=True)
"""
HOLDER = """
import sys, time
from pathlib import Path
from longitudinal_al.project.store import Project
with Project.open(Path(sys.argv[1])) as project, project.writer_lock("training"):
    print("held", flush=True)
    time.sleep(600)
"""
WORKER = """
import sys, time
from pathlib import Path
from longitudinal_al.project.lock import worker_lock
with worker_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a project with two pairs."""
    with Project.create(tmp_path / "project") as project:
        project.add_pairs([Pair(name, name, tmp_path / "1", tmp_path / "2") for name in ("a", "b")])
    return tmp_path / "project"


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def number_in(mask: np.ndarray) -> int:
    return sum(int(bit) << place for place, bit in enumerate(mask[0, :20]))


def test_two_processes_label_one_project_and_nothing_is_lost(folder: Path) -> None:
    both = [start(LABELLER, folder, pair, 60) for pair in ("a", "b")]
    acknowledged = [process.communicate()[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert acknowledged == [[str(k) for k in range(60)]] * 2
    with Project.open(folder) as project:
        labels = project.labels()
        assert {(each.pair, each.slice, number_in(each.mask)) for each in labels} == {
            (pair, k, k) for pair in ("a", "b") for k in range(60)
        }
        assert len(labels) == 120


def test_a_killed_labeller_loses_nothing_that_was_acknowledged(
    folder: Path, generator: np.random.Generator
) -> None:
    for _ in range(8):
        process = start(LABELLER, folder, "a", 0)
        first = process.stdout.readline()
        time.sleep(generator.uniform(0, 0.1))
        process.kill()
        acknowledged = [int(line) for line in (first + process.stdout.read()).split()]
        process.stdout.close()
        process.wait()
        assert acknowledged, "the child was killed before its first label"
        with Project.open(folder) as project:
            labels = {each.slice: number_in(each.mask) for each in project.labels()}
            assert set(acknowledged) <= set(labels)
            assert all(slice_index == number for slice_index, number in labels.items())
            assert [each for each in project.check() if "is missing" not in each] == []


def test_the_writer_lock_excludes_others_and_dies_with_its_holder(folder: Path) -> None:
    holder = start(HOLDER, folder)
    assert holder.stdout.readline() == "held\n"
    with Project.open(folder) as project:
        with pytest.raises(ProjectBusy, match=rf"process {holder.pid} on .* is training"):
            project.writer_lock("preparing").__enter__()
        assert project.status()["pairs"] == 2  # labelling and looking go on meanwhile
        holder.kill()
        holder.wait()
        holder.stdout.close()
        with project.writer_lock("preparing"):
            pass
    assert not (folder / "project.lock.json").exists()


def test_the_writer_lock_excludes_the_same_process_too_and_is_given_back(folder: Path) -> None:
    with Project.open(folder) as project:
        with project.writer_lock("training"), pytest.raises(ProjectBusy, match="is training"):
            project.writer_lock("preparing").__enter__()
        with pytest.raises(KeyboardInterrupt), project.writer_lock("training"):
            raise KeyboardInterrupt
        with project.writer_lock("preparing"):
            pass


def test_one_worker_a_project_beside_whoever_prepares(folder: Path) -> None:
    holder = start(WORKER, folder)
    assert holder.stdout.readline() == "held\n"
    with Project.open(folder) as project, project.writer_lock("preparing"):
        with pytest.raises(ProjectBusy, match=rf"has a worker already \(process {holder.pid} on"):
            worker_lock(folder).__enter__()
        holder.kill()
        holder.wait()
        holder.stdout.close()
        with worker_lock(folder), pytest.raises(ProjectBusy, match="one is enough"):
            worker_lock(folder).__enter__()
    assert not (folder / "worker.lock.json").exists()
