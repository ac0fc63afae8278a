"""`kill -9` while labels, rankings and models are written: what was acknowledged is there, and whole."""

from __future__ import annotations

import time
import zlib
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from longitudinal_al.project import labels
from longitudinal_al.project.files import read_json
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.project.records import Label
from longitudinal_al.project.store import Project

LABELLER = """
with Project.open(Path(sys.argv[1])) as project:
    for number in itertools.count(int(sys.argv[2])):
        project.save_label(label(number))
        acknowledge(number)
"""
WRITER = """
import zlib
from datetime import datetime, timedelta, timezone
from longitudinal_al.project import labels
from longitudinal_al.project.files import write_atomically
from longitudinal_al.project.ranking_file import write_ranking
folder = Path(sys.argv[1])
for seed in itertools.count(int(sys.argv[2])):
    write_ranking(folder, "difference", seed, [{"pair": "p", "slice": k} for k in range(500)])
    content = np.random.default_rng(seed).bytes(300_000)
    whole = zlib.crc32(content).to_bytes(4, "big") + content
    write_atomically(folder / "models" / "model.bin", lambda path: path.write_bytes(whole))
    acknowledge(seed)
"""


def kill_after_the_first(process, seconds: float) -> list[int]:
    """Kill a process some time after its first acknowledgement, and return all that it acknowledged."""
    first = process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    rest, errors = process.communicate()
    assert first, errors
    return [int(line) for line in (first + rest).split()]


def test_no_acknowledged_label_is_lost(
    start, folder: Path, times, numbers_saved, generator: np.random.Generator
) -> None:
    expected: set[int] = set()
    for _ in range(times(5, 100)):
        begin = max(numbers_saved(folder), default=-1) + 1
        acknowledged = kill_after_the_first(start(LABELLER, folder, begin), generator.uniform(0, 0.1))
        expected |= set(acknowledged)
        saved = numbers_saved(folder)
        assert expected <= saved
        expected = saved  # one more may have been saved when the kill came before its acknowledgement
    print(f"{times(5, 100)} kills while labelling, {len(expected)} labels, none lost")


def test_rankings_and_models_are_always_whole(
    start, folder: Path, times, generator: np.random.Generator
) -> None:
    begin = 1
    for _ in range(times(3, 50)):
        acknowledged = kill_after_the_first(start(WRITER, folder, begin), generator.uniform(0, 0.1))
        begin = acknowledged[-1] + 1
        ranking = read_json(ranking_path(folder))
        assert len(ranking["ranking"]) == 500
        assert ranking["seed"] in (acknowledged[-1], begin)
        content = (folder / "models" / "model.bin").read_bytes()
        assert len(content) == 300_004
        assert zlib.crc32(content[4:]) == int.from_bytes(content[:4], "big")


@pytest.mark.parametrize("seconds", [-86_400, 86_400, -1])
def test_a_clock_that_jumps_changes_no_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """The label that counts is the one saved last, whatever the clock said."""
    now = datetime(2026, 5, 1, tzinfo=timezone.utc)
    with Project.open(folder) as project:
        for value in (1, 2, 3):
            monkeypatch.setattr(
                labels, "utc_now", lambda value=value: now + timedelta(seconds=value * seconds)
            )
            mask = np.zeros((4, 4), np.uint8)
            mask.flat[:value] = 1
            project.save_label(Label("p", 0, mask, "x", now, now))
            assert project.label("p", 0).mask.sum() == value
        assert [each.label.mask.sum() for each in project.label_history("p", 0)] == [1, 2, 3]
