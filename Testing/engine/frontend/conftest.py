"""What the front end's tests share: a small project that looks prepared, made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from longitudinal_al.project.files import write_json
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.project.records import Pair, Verdict
from longitudinal_al.project.store import Project

ROWS, COLUMNS, SLICES = 6, 8, 12


def make_project(folder: Path) -> Project:
    """Make a project with the prepared pairs a and b of 12 slices, 3 mm apart, and open it."""
    project = Project.create(folder)
    project.add_pairs(
        [Pair(name, f"patient {name}", folder / f"{name}1", folder / f"{name}2") for name in "ab"]
    )
    for name in "ab":
        record = {
            "spacing_mm": [3.0, 1.0, 1.0],
            "slice_axis": 0,
            "frame": {"grid_rows": ROWS, "grid_columns": COLUMNS},
        }
        write_json(project.pair_folder(name) / "prepared.json", record)
        project.set_prepared(name, Verdict.GOOD, "", {}, SLICES)
    return project


def publish(folder: Path, *keys: tuple[str, int], strategy: str = "entropy", spacing_mm: float = 5.0) -> None:
    """Write a ranking as the worker does."""
    entries = [
        {
            "pair": pair,
            "patient": f"patient {pair}",
            "slice": index,
            "score": 1 - place / 100,
            "reason": "why",
        }
        for place, (pair, index) in enumerate(keys)
    ]
    head = {"strategy": strategy, "spacing_mm": spacing_mm, "thickness_mm": {"a": 3.0, "b": 3.0}}
    write_json(ranking_path(folder), {**head, "total": len(entries), "ranking": entries})


@pytest.fixture(name="make_project")
def _make_project() -> Callable[[Path], Project]:
    """Return what makes such a project in a folder."""
    return make_project


@pytest.fixture(name="publish")
def _publish() -> Callable[..., None]:
    """Return what writes a ranking into a project's folder."""
    return publish


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project with two pairs that look prepared."""
    with make_project(tmp_path / "prøject") as project:
        yield project


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still."""
    return Clock()
