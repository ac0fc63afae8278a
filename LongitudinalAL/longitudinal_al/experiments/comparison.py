"""Strategies compared by simulated annotation: all of them with all seeds, and the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from longitudinal_al.errors import InvalidInput
from longitudinal_al.experiments.arm import Arm
from longitudinal_al.experiments.difference_threshold import best_threshold_dice
from longitudinal_al.experiments.held_out import HELD_OUT
from longitudinal_al.experiments.report import write_report
from longitudinal_al.experiments.shares import share_of_all
from longitudinal_al.experiments.simulation import Simulation, SimulationSettings
from longitudinal_al.experiments.strips import first_asked
from longitudinal_al.project.store import Project

Progress = Callable[[str, float], None]


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
    arms = [Arm.plain(name) for name in strategies]
    for each in arms:
        each.check()
    chosen = replace(settings or SimulationSettings(budget, batch), budget=budget, batch=batch)
    simulation = Simulation(project, chosen, out)
    jobs: list[tuple[Arm | None, int]] = [(None, seed) for seed in range(seeds)]
    jobs += [(arm, seed) for seed in range(seeds) for arm in arms]
    full: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    costs = [simulation.updates(arm) for arm, _ in jobs]
    for done, (arm, seed) in enumerate(jobs):

        def report(phase: str, share: float, done: int = done) -> None:
            progress(phase, share_of_all(costs, done, share))

        report(f"{arm.name if arm else 'full labelling'}, seed {seed}", 0.0)
        if arm is None:
            full.append(simulation.full_labelling(seed, report))
        else:
            results += simulation.run(arm, seed, report)
    found = {
        "pool_slice_pairs": len(simulation.pool),
        "full": mean_over_seeds(full),
        "difference_threshold": best_threshold_dice(simulation.test),
        "settings": asdict(chosen),
        "results": results,
    }
    write_report(found, first_asked(found, simulation.pool), out)
    progress("done", 1.0)
    return found


def mean_over_seeds(full: list[dict[str, Any]]) -> dict[str, Any]:
    """Join full labelling's seeds: means of the figures, and each seed's own."""
    joined: dict[str, Any] = {}
    for measure in HELD_OUT:
        defined = [value for one in full if (value := one.get(measure)) is not None]
        joined[measure] = float(np.mean(defined)) if defined else None
    return {**joined, "per_seed": full}
