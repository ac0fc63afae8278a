"""A live loop on a small project, with trainings of a few steps and a clock that the tests move."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from longitudinal_al.live.loop import LiveLoop
from longitudinal_al.live.schedule import Thought
from longitudinal_al.live.settings import LiveSettings
from longitudinal_al.network.architecture import Architecture
from longitudinal_al.network.contrast import ContrastSettings
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import EventKind

TINY = TrainingSettings(
    steps=3, pretraining=0, batch=2, patch=32, architecture=Architecture(widths=(8, 8, 16, 16))
)
SHORT = ContrastSettings(steps=3, batch=8, widths=(8, 8), size=8)
SETTINGS = LiveSettings(
    first=TINY,
    quick=TINY,
    round=TINY,
    check=TINY,
    contrast=SHORT,
    batch=8,
    head=16,
    chunk=16,
    publish_seconds=0.0,
)


class Clock:
    """A monotonic clock on which every look takes a moment, and minutes pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        self.now += 0.05
        return self.now


class Watched:
    """A live loop with what it has said, and a hand to label with."""

    def __init__(self, project: Project, strategy: str = "hybrid", **settings: Any) -> None:
        self.project = project
        self.clock = Clock()
        self.events: list[tuple[EventKind, dict[str, Any]]] = []
        self.thoughts: list[Thought] = []
        self.settings = LiveSettings(**{**SETTINGS.__dict__, **settings})
        self.loop = LiveLoop(
            project.folder,
            strategy,
            lambda kind, data: self.events.append((kind, data)),
            settings=self.settings,
            clock=self.clock,
        )

    def step(self, interrupt: Callable[[], None] = lambda: None) -> bool:
        more = self.loop.step(interrupt)
        if not self.thoughts or self.thoughts[-1] is not self.loop.thought:
            self.thoughts.append(self.loop.thought)
        return more

    def think(self, until: Callable[[], bool] = lambda: False) -> None:
        """Step until there is nothing to do, or something is reached."""
        for _ in range(2000):
            if not self.step() or until():
                return
        raise AssertionError(f"it never ends: {self.thoughts}")

    def rest(self) -> None:
        """Let minutes pass without a label, and think to the end."""
        self.think()
        self.clock.now += 1000
        self.think()

    def said(self, kind: EventKind) -> list[dict[str, Any]]:
        return [data for each, data in self.events if each is kind]

    @property
    def ranking(self) -> dict[str, Any]:
        return json.loads(ranking_path(self.project.folder).read_text(encoding="utf-8"))

    @property
    def asked(self) -> list[tuple[str, int]]:
        return [(entry["pair"], entry["slice"]) for entry in self.ranking["ranking"]]

    def label(self, count: int = 1, pair: str | None = None) -> list[tuple[str, int]]:
        """Label slice pairs as their reference says, those with change first."""
        pool = Pool.open(self.project)
        done = self.project.labelled()
        entries = [e for e in pool.entries if (e.pair, e.slice) not in done and pair in (None, e.pair)]
        masks = {name: prepared.reference_slices() for name, prepared in pool.pairs.items()}
        entries.sort(key=lambda entry: (not masks[entry.pair][entry.slice].any(), entry.slice))
        for entry in entries[:count]:
            mask = np.ascontiguousarray(masks[entry.pair][entry.slice])
            now = utc_now()
            self.project.save_label(Label(entry.pair, entry.slice, mask, "tester", now, now))
        return [(entry.pair, entry.slice) for entry in entries[:count]]

    def open_slice_pairs(self) -> set[tuple[str, int]]:
        """Return what is to be ranked now."""
        return set(Pool.open(self.project).index) - self.project.labelled()


Watch = Callable[..., Watched]


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Return a function that makes a live loop, which is closed with the test."""
    made: list[Watched] = []

    def make(project: Project, strategy: str = "hybrid", **settings: Any) -> Watched:
        made.append(Watched(project, strategy, **settings))
        return made[-1]

    yield make
    for each in made:
        each.loop.close()
