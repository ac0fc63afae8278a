"""What simulated labels teach: networks and their figures on the test pairs, each learned once and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from longitudinal_al.errors import NotReady
from longitudinal_al.experiments.held_out import TestPairs
from longitudinal_al.lessons import learn_labels, member_seed
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.checkpoint import load_networks, save_networks
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.dataset import LabelledSlicePairs
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.files import json_text, read_json, write_json


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

    def figures(
        self,
        rows: Iterable[int],
        seed: int,
        training: TrainingSettings,
        progress: Callable[[float], None] = lambda share: None,
    ) -> dict[str, Any]:
        """Train on the labels of some slice pairs and measure."""
        chosen = sorted(rows)
        stem = self._stem(chosen, seed, training)
        done = read_json(stem.with_suffix(".json"))
        if done is None:
            started = perf_counter()
            network = self._train(chosen, seed, training, progress)
            seconds = perf_counter() - started
            done = {"train_seconds": seconds, **self.test.measure([network]).as_dict()}
            save_networks([network], stem.with_suffix(".safetensors"))
            write_json(stem.with_suffix(".json"), done)
        return dict(done)

    def networks(
        self, rows: Iterable[int], seed: int, training: TrainingSettings, members: int = 1
    ) -> list[ChangeNetwork]:
        """Return an ensemble that learned the labels of some slice pairs; its first member is the measured.

        The same budget of training is measured for every arm, so the other members help to choose alone.
        """
        chosen = sorted(rows)
        return [self._network(chosen, member_seed(seed, member), training) for member in range(members)]

    def _network(self, rows: Sequence[int], seed: int, training: TrainingSettings) -> ChangeNetwork:
        """Return the network that learned these labels; it is trained again when its file is gone."""
        file = self._stem(rows, seed, training).with_suffix(".safetensors")
        try:
            return load_networks(file)[0]
        except NotReady:
            network = self._train(rows, seed, training)
            save_networks([network], file)
            return network

    def _stem(self, rows: Sequence[int], seed: int, training: TrainingSettings) -> Path:
        names = [f"{self.pool.entries[row].pair}:{self.pool.entries[row].slice}" for row in rows]
        digest = hashlib.sha256(json_text([seed, names, asdict(training)]).encode()).hexdigest()
        return self.folder / digest[:16]

    def _train(
        self,
        rows: Sequence[int],
        seed: int,
        training: TrainingSettings,
        progress: Callable[[float], None] = lambda share: None,
    ) -> ChangeNetwork:
        labels = {row: self.masks[row] for row in rows}
        labelled = LabelledSlicePairs(self.pool, labels, training.architecture.neighbours)
        return learn_labels(labelled, training, seed=seed, models=self.folder, progress=progress)
