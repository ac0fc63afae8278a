"""Active learning with a simulated annotator: strategies and seeds, resumable after an interruption."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from longitudinal_al.acquisition.strategies import Needs, Strategy, cold_start_of, strategy
from longitudinal_al.choosing import SPACING_MM, acquire
from longitudinal_al.errors import InvalidInput, NotReady
from longitudinal_al.evaluation.annotation_cost import ASSUMED
from longitudinal_al.evaluation.annotation_log import SecondsPredictor
from longitudinal_al.evaluation.oracle import Oracle
from longitudinal_al.evidence import Evidence
from longitudinal_al.experiments.arm import Arm
from longitudinal_al.experiments.held_out import TestPairs
from longitudinal_al.experiments.learned_networks import LearnedNetworks
from longitudinal_al.experiments.simulated_time import simulated_seconds
from longitudinal_al.lessons import members_for, settings_for
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.contrast_file import contrast_of_pool
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.files import json_text, read_json, write_json
from longitudinal_al.project.store import Project

Progress = Callable[[str, float], None]
TIME_MODEL = ASSUMED
"""Of the simulated annotator's time."""


@dataclass(frozen=True)
class SimulationSettings:
    """What an experiment is, besides its data.

    Attributes
    ----------
    budget : float
        Share of the pool's slice pairs to label, in (0, 1].
    batch : int
        Slice pairs labelled in each round.
    fractions : tuple of float
        Shares of the pool that are labelled after each round; when given, `budget` and `batch` do not count.
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
    fractions: tuple[float, ...] = ()

    def totals(self, pool: int) -> list[int]:
        """Return how many slice pairs of a pool are labelled after each round, ascending."""
        if self.fractions:
            return sorted({max(1, round(share * pool)) for share in self.fractions})
        last = max(1, round(self.budget * pool))
        return [*range(self.batch, last, self.batch), last]


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
        self._changed = {row: int(np.count_nonzero(mask)) for row, mask in self.masks.items()}
        self.learned = LearnedNetworks(self.pool, self.masks, self.test, out / "networks")
        self._check_same_experiment()

    def updates(self, arm: Arm | None) -> int:
        """Return how many updates an arm takes; without one, full labelling and the start of all."""
        if arm is None:
            return self.learned.ceiling_updates(self.settings.training)
        return len(self.settings.totals(len(self.pool))) * arm.training_settings(self.settings.training).steps

    def full_labelling(self, seed: int, progress: Progress = lambda phase, share: None) -> dict[str, Any]:
        """Train as many networks on the whole pool as decide together, and measure: the ceiling."""

        def trained(share: float) -> None:
            progress(f"full labelling, seed {seed}", share)

        return self.learned.ceiling(range(len(self.pool)), seed, self.settings.training, trained)

    def run(
        self,
        arm: Arm,
        seed: int,
        progress: Progress = lambda phase, share: None,
        between: Callable[[], None] = lambda: None,
    ) -> list[dict[str, Any]]:
        """Run all rounds of one arm with one seed; rounds that were finished before are read back.

        Parameters
        ----------
        arm : Arm
            What chooses the slice pairs.
        seed : int
            Of everything random.
        progress : callable
            Called with what is being done and the share of all rounds that is done.
        between : callable
            Called before each round; what it raises ends the run there, and what was finished is kept.
        """
        rounds: list[list[int]] = []
        results: list[dict[str, Any]] = []
        totals = self.settings.totals(len(self.pool))
        for number, total in enumerate(totals, start=1):
            between()

            def trained(share: float, number: int = number) -> None:
                progress(f"{arm.name}, seed {seed}, round {number}", (number - 1 + share) / len(totals))

            trained(0.0)
            file = round_file(self.out, arm, seed, number)
            done = read_json(file)
            if done is None:
                done = self._round(arm, rounds, seed, number, total, trained)
                if not done["asked"]:
                    break  # the spacing leaves nothing more to ask for
                write_json(file, done)
            asked = [self.pool.find(one["pair"], one["slice"]) for one in done["asked"]]
            rounds.append([*labelled_by(rounds), *asked])
            results.append(done)
        return results

    def _round(
        self,
        arm: Arm,
        rounds: Sequence[Sequence[int]],
        seed: int,
        number: int,
        total: int,
        trained: Callable[[float], None],
    ) -> dict[str, Any]:
        """Choose a batch, label it, train on all labels, and measure together with the rounds before."""
        labelled = labelled_by(rounds)
        training = settings_for(arm.wanted(), arm.training_settings(self.settings.training))
        networks: list[ChangeNetwork] = []
        if labelled and Needs.MODEL in arm.wanted().needs:
            networks = self.learned.networks(labelled, seed, training, members_for(arm.wanted()))
        started = perf_counter()
        asked = self._ask(arm, networks, labelled, seed, number, total - len(labelled))
        score_seconds = perf_counter() - started
        rows = labelled + asked
        entries = [self.pool.entries[row] for row in asked]
        return {
            "strategy": arm.name,
            "seed": seed,
            "round": number,
            "labelled": len(rows),
            "fraction": len(rows) / len(self.pool),
            **(self.learned.figures([*rounds, rows], seed, training, trained) if asked else {}),
            "score_seconds": score_seconds,
            "foreground": self._foreground(rows),
            "seconds": simulated_seconds(TIME_MODEL, self.pool, self.masks, rows),
            "time_model": TIME_MODEL.name,
            "asked": [{"pair": entry.pair, "slice": entry.slice} for entry in entries],
        }

    def _foreground(self, rows: Sequence[int]) -> float | None:
        """Return the share of the pool's changed pixels that lies on some slice pairs; None without any."""
        whole = sum(self._changed.values())
        return sum(self._changed[row] for row in rows) / whole if whole else None

    def _ask(
        self,
        arm: Arm,
        networks: Sequence[ChangeNetwork],
        labelled: list[int],
        seed: int,
        number: int,
        batch: int,
    ) -> list[int]:
        """Choose a batch; without a network yet, as the cold start does."""
        wanted = arm.wanted()
        if Needs.MODEL in wanted.needs and not networks:
            wanted = strategy(arm.cold_start) if arm.cold_start else wanted
            if Needs.MODEL in wanted.needs:
                wanted = cold_start_of(wanted) or strategy(self.settings.cold_start)
        chosen = acquire(
            self.pool,
            wanted,
            networks,
            labelled,
            batch,
            spacing_mm=self.settings.spacing_mm,
            seed=1000 * seed + number,
            given=self._evidence(wanted, labelled, seed, number),
        )
        return [self.pool.find(one.pair, one.slice) for one in chosen]

    def _evidence(self, wanted: Strategy, labelled: list[int], seed: int, number: int) -> Evidence:
        """Return what a strategy may know; references alone where it says that it is a yardstick."""
        is_yardstick = Needs.LABELS in wanted.needs
        return Evidence(
            labels={row: self.masks[row] for row in labelled},
            references=self.masks if is_yardstick else None,
            contrast=cache(lambda: contrast_of_pool(self.out, self.pool, seed=seed)),
            seconds=SecondsPredictor(
                self.pool, TIME_MODEL, frozenset(self.pool.entries[row].pair for row in labelled)
            ),
            round=number,
            rounds=len(self.settings.totals(len(self.pool))),
        )

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


def round_file(folder: Path, arm: Arm, seed: int, number: int) -> Path:
    """Return where a simulation's folder keeps a finished round, counted from 1."""
    return folder / "rounds" / f"{arm.file_name}-seed{seed}-round{number:02d}.json"


def labelled_by(rounds: Sequence[Sequence[int]]) -> list[int]:
    """Return what is labelled after some rounds; each holds all rows that were labelled then."""
    return list(rounds[-1]) if rounds else []


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
