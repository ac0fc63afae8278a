"""What simulated labels teach: networks and their figures on the test pairs, each learned once and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from longitudinal_al.errors import NotReady
from longitudinal_al.experiments.held_out import Seen, TestPairs
from longitudinal_al.experiments.shares import share_of_all
from longitudinal_al.lessons import learn_labels, member_seed
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.checkpoint import load_networks, save_networks
from longitudinal_al.network.committee import TOGETHER
from longitudinal_al.network.pretraining import labels_alone
from longitudinal_al.network.training import Progress, TrainingSettings
from longitudinal_al.pairs.dataset import LabelledSlicePairs
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.files import json_text, read_json, write_json


@dataclass(frozen=True)
class _Lesson:
    """What a network is to learn.

    Attributes
    ----------
    rows : tuple of int
        Rows of the pool, ascending.
    seed : int
        Of everything random.
    training : TrainingSettings
        How.
    start_seed : int
        Of the pretraining that it goes on from.
    """

    rows: tuple[int, ...]
    seed: int
    training: TrainingSettings
    start_seed: int


class LearnedNetworks:
    """Networks by the slice pairs they learned from, their seed and their training.

    Arms that label the same slice pairs share the network, in time and in outcome.

    Parameters
    ----------
    pool : Pool
        Where the images come from.
    masks : dict of int to numpy.ndarray
        The label of each row of the pool.
    test : TestPairs
        What is measured on.
    folder : Path
        Where they are kept.
    """

    def __init__(self, pool: Pool, masks: dict[int, np.ndarray], test: TestPairs, folder: Path) -> None:
        self.pool = pool
        self.masks = masks
        self.test = test
        self.folder = folder
        self._seen: dict[_Lesson, Seen] = {}

    def figures(
        self,
        rounds: Sequence[Iterable[int]],
        seed: int,
        training: TrainingSettings,
        progress: Progress = lambda share: None,
    ) -> dict[str, Any]:
        """Train on the labels of the last round, and measure its network together with those just before it.

        Parameters
        ----------
        rounds : sequence of iterable of int
            All rows that were labelled in each round, those of earlier rounds among them.
        seed, training, progress
            As of `learn_labels`.
        """
        newest_first = rounds[: -1 - TOGETHER : -1]
        lessons = [_Lesson(tuple(sorted(rows)), seed, training, seed) for rows in newest_first]
        return self._measured(lessons, progress)

    def ceiling(
        self,
        rows: Iterable[int],
        seed: int,
        training: TrainingSettings,
        progress: Progress = lambda share: None,
    ) -> dict[str, Any]:
        """Train as many networks on the same labels as decide together elsewhere, and measure them."""
        seeds = [member_seed(seed, member) for member in range(TOGETHER)]
        chosen = tuple(sorted(rows))
        return self._measured([_Lesson(chosen, each, training, seed) for each in seeds], progress)

    def ceiling_updates(self, training: TrainingSettings) -> int:
        """Return how many updates `ceiling` takes, those of its networks' start among them."""
        return self._start_updates(training) + TOGETHER * training.steps

    def _start_updates(self, training: TrainingSettings) -> int:
        return labels_alone(training, self.pool).steps

    def networks(
        self, rows: Iterable[int], seed: int, training: TrainingSettings, members: int = 1
    ) -> list[ChangeNetwork]:
        """Return an ensemble that learned the labels of some slice pairs; its first member is the measured.

        The same budget of training is measured for every arm, so the other members help to choose alone.
        """
        chosen = tuple(sorted(rows))
        seeds = [member_seed(seed, member) for member in range(members)]
        return [self._network(_Lesson(chosen, each, training, each)) for each in seeds]

    def _measured(self, lessons: Sequence[_Lesson], progress: Progress) -> dict[str, Any]:
        """Measure the networks that learned some lessons, the newest first, together."""
        stems = [self._stem(lesson) for lesson in lessons]
        file = self.folder / f"together-{_digest([stem.name for stem in stems])}.json"
        done = read_json(file)
        if done is None:
            kept = [stem.with_suffix(".safetensors").is_file() for stem in stems]
            missing = [each for each, is_kept in zip(lessons, kept, strict=True) if not is_kept]
            costs = [each.training.steps for each in missing]
            if len(missing) > 1:  # the first one makes the start of all
                costs[0] += self._start_updates(missing[0].training)

            def report(lesson: _Lesson, share: float) -> None:
                if lesson in missing:
                    progress(share_of_all(costs, missing.index(lesson), share))

            self._seen = {each: self._look(each, partial(report, each)) for each in lessons}
            labels = [len(each.rows) for each in lessons]
            found = self.test.measure_together(list(self._seen.values()), labels)
            learned = read_json(stems[0].with_suffix(".json")) or {}
            done = {"train_seconds": learned.get("train_seconds"), **found.as_dict()}
            write_json(file, done)
        return dict(done)

    def _look(self, lesson: _Lesson, progress: Progress) -> Seen:
        """Return what the network of a lesson sees in the test pairs; what it saw just before is kept."""
        return self._seen.get(lesson) or self.test.look(self._network(lesson, progress))

    def _network(self, lesson: _Lesson, progress: Progress = lambda share: None) -> ChangeNetwork:
        """Return the network that learned a lesson; it is trained again when its file is gone."""
        stem = self._stem(lesson)
        try:
            return load_networks(stem.with_suffix(".safetensors"))[0]
        except NotReady:
            started = perf_counter()
            network = self._train(lesson, progress)
            write_json(stem.with_suffix(".json"), {"train_seconds": perf_counter() - started})
            save_networks([network], stem.with_suffix(".safetensors"))
            return network

    def _stem(self, lesson: _Lesson) -> Path:
        names = [f"{self.pool.entries[row].pair}:{self.pool.entries[row].slice}" for row in lesson.rows]
        told = [lesson.seed, names, asdict(lesson.training)]
        if lesson.start_seed != lesson.seed:
            told.append(lesson.start_seed)
        return self.folder / _digest(told)

    def _train(self, lesson: _Lesson, progress: Progress) -> ChangeNetwork:
        labels = {row: self.masks[row] for row in lesson.rows}
        labelled = LabelledSlicePairs(self.pool, labels, lesson.training.architecture.neighbours)
        return learn_labels(
            labelled,
            lesson.training,
            seed=lesson.seed,
            models=self.folder,
            start_seed=lesson.start_seed,
            progress=progress,
        )


def _digest(told: object) -> str:
    return hashlib.sha256(json_text(told).encode()).hexdigest()[:16]
