"""What deciding together does to an experiment's rounds: a network alone, and with those before it.

`bench_committee.py FOLDER --size small --cohort typical-small`: a folder of `longitudinal-al experiment` with
finished rounds. The networks and what they were asked for are the same; only the masks differ
(`network.committee`). Rounds that are not finished are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from longitudinal_al.experiments.arm import Arm
from longitudinal_al.experiments.plan import full_plan, small_plan
from longitudinal_al.experiments.runs import Run, outcome, settings_of
from longitudinal_al.experiments.simulation import Simulation
from longitudinal_al.network.committee import Committee
from longitudinal_al.project.store import Project

PLANS = {"full": full_plan, "small": small_plan}
MEASURES = ("dice", "lesion_f1")


def alone(simulation: Simulation, arm: Arm, seed: int, rounds: list[dict[str, Any]]) -> Iterator[list[float]]:
    """Yield Dice and F1 of each round's own network."""
    training = arm.training_settings(simulation.settings.training)
    rows: list[int] = []
    for finished in rounds:
        rows += [simulation.pool.find(one["pair"], one["slice"]) for one in finished["asked"]]
        found = simulation.test.measure(Committee.of(simulation.learned.networks(rows, seed, training)))
        yield [getattr(found, measure) for measure in MEASURES]


def main() -> None:
    """Print a line for each arm and each of its rounds, means over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", type=Path)
    parser.add_argument("--size", choices=PLANS, default="full")
    parser.add_argument("--cohort", default="typical")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    plan, folder = PLANS[arguments.size](), arguments.experiment / arguments.cohort
    with Project.open(folder / "project") as project:
        simulation = Simulation(project, settings_of(plan), folder / "simulation")
    for arm in plan.arms:
        runs = [Run(arguments.cohort, arm, seed) for seed in range(plan.seeds)]
        finished = {run.seed: rounds for run in runs if (rounds := outcome(run, arguments.experiment))}
        if not finished:
            continue
        newest = [list(alone(simulation, arm, seed, rounds)) for seed, rounds in finished.items()]
        together = [[[one[m] for m in MEASURES] for one in rounds] for rounds in finished.values()]
        means = [np.array(figures, float).mean(axis=0) for figures in (newest, together)]
        for place, (before, after) in enumerate(zip(*means, strict=True)):
            labels = next(iter(finished.values()))[place]["labelled"]
            print(
                f"{arm.name}, {labels} labels, {len(finished)} seeds: alone lesion Dice {before[0]:.3f}, "
                f"lesion F1 {before[1]:.3f}; together {after[0]:.3f}, {after[1]:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
