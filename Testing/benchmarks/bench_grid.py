"""Whether the network should see pixels of one size, or each follow-up's own: full labelling on both.

Prepares the demo's cohort a second time without any resampling in the plane, and trains on it as on the
demo's own project. `--seeds K` says how often (default 3).
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np

from longitudinal_al.experiments.demonstration import demonstrate, with_test_pairs
from longitudinal_al.experiments.held_out import TestPairs
from longitudinal_al.experiments.simulation import reference_masks
from longitudinal_al.network.committee import Committee
from longitudinal_al.network.training import TrainingSettings, train
from longitudinal_al.pairs import frame
from longitudinal_al.pairs.dataset import LabelledSlicePairs
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.preparation import prepare_project
from longitudinal_al.project.store import Project
from longitudinal_al.project.table import read_pairs_table

DEMO = Path(__file__).resolve().parents[2] / "demo"


def full_labelling(project: Project, seeds: int) -> list[float]:
    """Return the test patients' lesion Dice of full labelling, one a seed."""
    pool, test = Pool.open(project), TestPairs(project)
    labelled = LabelledSlicePairs(pool, reference_masks(pool))
    networks = (train(labelled, TrainingSettings(), seed=seed) for seed in range(seeds))
    return [test.measure(Committee.of([network])).dice or 0.0 for network in networks]


def line(what: str, dice: list[float]) -> str:
    """Return a line of the table."""
    each = ", ".join(f"{value:.3f}" for value in dice)
    return f"{what:32} lesion Dice {np.mean(dice):.3f} ({each})"


def main() -> None:
    """Print a line for each kind of pixel."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    if not (DEMO / "report" / "results.json").is_file():
        demonstrate(DEMO)
    with Project.open(DEMO / "project") as project:
        print(line("pixels of one size", full_labelling(project, seeds)), flush=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(frame, "SAME_PIXEL", math.inf),
        Project.create(Path(folder) / "own") as project,
    ):
        project.add_pairs(with_test_pairs(read_pairs_table(DEMO / "cohort" / "pairs.csv")))
        prepare_project(project)
        print(line("each follow-up's own pixels", full_labelling(project, seeds)), flush=True)


if __name__ == "__main__":
    main()
