"""Active learning with a simulated annotator: strategies and seeds, resumable after an interruption."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from longitudinal_al.acquisition.strategies import Needs, Strategy, strategy
from longitudinal_al.errors import InvalidInput, NotReady
from longitudinal_al.evaluation.oracle import Oracle
from longitudinal_al.experiments.difference_threshold import best_threshold_dice
from longitudinal_al.experiments.held_out import TestPairs
from longitudinal_al.experiments.report import write_report
from longitudinal_al.experiments.strips import first_asked
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.checkpoint import load_networks, save_networks
from longitudinal_al.network.training import TrainingSettings, train
from longitudinal_al.pairs.dataset import LabelledSlicePairs
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.files import json_text, read_json, write_json
from longitudinal_al.project.store import Project
from longitudinal_al.rounds import SPACING_MM, acquire

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class SimulationSettings:
    """What an experiment is, besides its data.

    Attributes
    ----------
    budget : float
        Share of the pool's slice pairs to label, in (0, 1].
    batch : int
        Slice pairs labelled in each round.
    cold_start : str
        The strategy that chooses the first batch for those that need a model.
    spacing_mm : float
        Smallest distance between labelled slices of one pair.
    training : TrainingSettings
        Of every round, and of full labelling.
    """

    budget: float
    batch: int
    cold_start: str = "difference"
    spacing_mm: float = SPACING_MM
    training: TrainingSettings = field(default_factory=TrainingSettings)


class Simulation:
    """An experiment on a project whose pairs all have references.

    Parameters
    ----------
    project : Project
        Prepared, with pairs for the pool and pairs to test on.
    settings : SimulationSettings
        What to do.
    out : Path
        Where finished rounds are kept, so that an interrupted experiment goes on where it stopped.
    """

    def __init__(self, project: Project, settings: SimulationSettings, out: Path) -> None:
        self.settings = settings
        self.out = out
        self.pool = Pool.open(project)
        self.test = TestPairs(project)
        if not self.pool.entries:
            raise NotReady(
                f"{project.folder}: no prepared pair belongs to the pool; every pair is set aside as test"
            )
        self.masks = reference_masks(self.pool)
        self._check_same_experiment()

    @property
    def slice_pairs_to_label(self) -> int:
        """How many slice pairs the budget pays for."""
        return max(1, round(self.settings.budget * len(self.pool)))

    def full_labelling(self, seed: int) -> dict[str, Any]:
        """Train on the labels of the whole pool, and measure: the ceiling."""
        return self._learn(range(len(self.pool)), seed)

    def run(self, name: str, seed: int, progress: Progress) -> list[dict[str, Any]]:
        """Run all rounds of one strategy with one seed; rounds that were finished before are read back."""
        wanted = strategy(name)
        labelled: list[int] = []
        results: list[dict[str, Any]] = []
        total = self.slice_pairs_to_label
        while len(labelled) < total:
            number = len(results) + 1
            progress(f"{name}, seed {seed}, round {number}", len(labelled) / total)
            file = self.out / "rounds" / f"{name}-seed{seed}-round{number:02d}.json"
            done = read_json(file)
            if done is None:
                done = self._round(wanted, labelled, seed, number)
                if not done["asked"]:
                    break  # the spacing leaves nothing more to ask for
                write_json(file, done)
            labelled += [self.pool.find(one["pair"], one["slice"]) for one in done["asked"]]
            results.append(done)
        return results

    def _round(self, wanted: Strategy, labelled: list[int], seed: int, number: int) -> dict[str, Any]:
        """Choose a batch, label it, train on all labels, and measure."""
        networks = [self._network(labelled, seed)] if labelled and Needs.MODEL in wanted.needs else []
        started = perf_counter()
        asked = self._ask(wanted, networks, labelled, seed, number)
        score_seconds = perf_counter() - started
        rows = labelled + asked
        entries = [self.pool.entries[row] for row in asked]
        return {
            "strategy": wanted.name,
            "seed": seed,
            "round": number,
            "labelled": len(rows),
            "fraction": len(rows) / len(self.pool),
            **(self._learn(rows, seed) if asked else {}),
            "score_seconds": score_seconds,
            "asked": [{"pair": entry.pair, "slice": entry.slice} for entry in entries],
        }

    def _ask(
        self,
        wanted: Strategy,
        networks: Sequence[ChangeNetwork],
        labelled: list[int],
        seed: int,
        number: int,
    ) -> list[int]:
        """Choose a batch; without a network yet, as the cold start does."""
        if Needs.MODEL in wanted.needs and not networks:
            wanted = strategy(self.settings.cold_start)
        chosen = acquire(
            self.pool,
            wanted,
            networks,
            labelled,
            min(self.settings.batch, self.slice_pairs_to_label - len(labelled)),
            spacing_mm=self.settings.spacing_mm,
            seed=1000 * seed + number,
        )
        return [self.pool.find(one.pair, one.slice) for one in chosen]

    def _learn(self, rows: Iterable[int], seed: int) -> dict[str, Any]:
        """Train on the labels of some slice pairs and measure; the same labels and seed are learned once.

        Strategies that begin with the same batch share the round, in time and in outcome.
        """
        chosen = sorted(rows)
        stem = self._stem(chosen, seed)
        done = read_json(stem.with_suffix(".json"))
        if done is None:
            started = perf_counter()
            network = self._train(chosen, seed)
            seconds = perf_counter() - started
            done = {"train_seconds": seconds, **self.test.measure([network]).as_dict()}
            save_networks([network], stem.with_suffix(".safetensors"))
            write_json(stem.with_suffix(".json"), done)
        return dict(done)

    def _network(self, rows: Iterable[int], seed: int) -> ChangeNetwork:
        """Return the network that learned these labels; it is trained again when its file is gone."""
        chosen = sorted(rows)
        try:
            return load_networks(self._stem(chosen, seed).with_suffix(".safetensors"))[0]
        except NotReady:
            return self._train(chosen, seed)

    def _stem(self, rows: Sequence[int], seed: int) -> Path:
        names = [f"{self.pool.entries[row].pair}:{self.pool.entries[row].slice}" for row in rows]
        digest = hashlib.sha256(json_text([seed, names]).encode()).hexdigest()
        return self.out / "networks" / digest[:16]

    def _train(self, rows: Sequence[int], seed: int) -> ChangeNetwork:
        labels = {row: self.masks[row] for row in rows}
        training = self.settings.training
        labelled = LabelledSlicePairs(self.pool, labels, training.architecture.neighbours)
        return train(labelled, training, seed=seed)

    def _check_same_experiment(self) -> None:
        """Refuse to mix the rounds of two experiments in one folder."""
        names = sorted(f"{entry.pair}:{entry.slice}" for entry in self.pool.entries)
        told = {"settings": asdict(self.settings), "pool": names, "test": sorted(self.test.pool.pairs)}
        file = self.out / "settings.json"
        before = read_json(file)
        if before is None:
            write_json(file, told)
        elif before != json.loads(json_text(told)):
            raise InvalidInput(
                f"{self.out} holds another experiment (other data or settings): choose another folder"
            )


def reference_masks(pool: Pool) -> dict[int, np.ndarray]:
    """Let the simulated annotator label the whole pool; the masks are shown to training one by one."""
    oracle = Oracle(np.random.default_rng(0))
    masks = {}
    for name, pair in pool.pairs.items():
        reference = pair.reference_slices()
        for index in pair.record.slices:
            spacing = pair.record.spacing_mm[1:]
            masks[pool.index[(name, index)]] = oracle.label(reference[index], spacing)
    return masks


def simulate(
    project: Project,
    strategies: Sequence[str],
    budget: float,
    batch: int,
    seeds: int,
    out: Path,
    *,
    settings: SimulationSettings | None = None,
    progress: Progress = lambda phase, share: None,
) -> dict[str, Any]:
    """Compare strategies by simulated annotation, write the report, and return the results.

    Parameters
    ----------
    project : Project
        Prepared; every pair has a reference, and some are set aside as test.
    strategies : sequence of str
        Names of `STRATEGIES`.
    budget : float
        Share of the pool to label, in (0, 1].
    batch : int
        Slice pairs a round.
    seeds : int
        How often everything is repeated, with seeds 0, 1, ...
    out : Path
        Folder of the report and the finished rounds; the same call goes on where it was interrupted.
    settings : SimulationSettings, optional
        Everything else; its budget and batch give way to the arguments.
    progress : callable
        Called with what is being done and the share of all that is done.

    Returns
    -------
    dict
        The results, as `docs/command-line.md` describes them.
    """
    if not 0 < budget <= 1:
        raise InvalidInput(f"budget {budget}: give the share of the pool to label, above 0 and at most 1")
    if batch < 1 or seeds < 1:
        raise InvalidInput(f"batch {batch}, seeds {seeds}: both have to be at least 1")
    names = [strategy(name).name for name in strategies]
    chosen = SimulationSettings(budget, batch) if settings is None else settings
    simulation = Simulation(project, chosen, out)
    jobs = [("full labelling", seed) for seed in range(seeds)] + [(n, s) for s in range(seeds) for n in names]
    full, results = [], []
    for done, (name, seed) in enumerate(jobs):

        def report(phase: str, share: float, done: int = done) -> None:
            progress(phase, (done + share) / len(jobs))

        report(f"{name}, seed {seed}", 0.0)
        if name == "full labelling":
            full.append(simulation.full_labelling(seed))
        else:
            results += simulation.run(name, seed, report)
    found = {
        "pool_slice_pairs": len(simulation.pool),
        "full": _mean_of(full),
        "difference_threshold": best_threshold_dice(simulation.test),
        "settings": asdict(chosen),
        "results": results,
    }
    write_report(found, first_asked(found, simulation.pool), out)
    progress("done", 1.0)
    return found


def _mean_of(full: list[dict[str, Any]]) -> dict[str, Any]:
    """Join full labelling's seeds: means of the figures, and each seed's own."""
    joined: dict[str, Any] = {}
    for measure in ("dice", "lesion_f1"):
        defined = [one[measure] for one in full if one[measure] is not None]
        joined[measure] = float(np.mean(defined)) if defined else None
    return {**joined, "per_seed": full}
