"""Made-up results of an experiment, of the shape that `simulate` gives; nothing here was measured."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from longitudinal_al.experiments.arm import Arm
from longitudinal_al.experiments.cohorts import make_cohort, real_cohorts
from longitudinal_al.experiments.plan import Plan
from longitudinal_al.experiments.strips import AskedSlice
from longitudinal_al.network.architecture import Architecture
from longitudinal_al.network.training import TrainingSettings

POOL = 500
FULL = {"dice": 0.78, "lesion_f1": 0.74}
# How fast each made-up strategy learns: Dice after n slice pairs = 0.8 · (1 − exp(−n / speed)).
SPEEDS = {"random": 22.0, "difference": 9.0, "entropy": 16.0, "hybrid": 12.0}


def made_up(
    strategies: dict[str, float], seeds: int = 5, rounds: int = 6, patients: int = 6, batch: int = 7
) -> dict[str, Any]:
    """Return results in which every strategy follows its curve, patients and seeds around it."""
    generator = np.random.default_rng(7)
    names = [f"P{number:02d}" for number in range(1, patients + 1)]
    easier = dict(zip(names, np.linspace(-0.08, 0.08, patients), strict=True))
    results = []
    for strategy, speed in strategies.items():
        for seed in range(seeds):
            for number in range(1, rounds + 1):
                labelled = batch * number
                height = 0.8 * (1 - np.exp(-labelled / speed)) + 0.01 * generator.standard_normal()
                each = {}
                for name in names:
                    dice = float(np.clip(height + easier[name] + 0.01 * generator.standard_normal(), 0, 1))
                    each[name] = {"dice": dice, "lesion_f1": 0.9 * dice}
                results.append(
                    {
                        "strategy": strategy,
                        "seed": seed,
                        "round": number,
                        "labelled": labelled,
                        "fraction": labelled / POOL,
                        "dice": float(np.mean([one["dice"] for one in each.values()])),
                        "lesion_f1": float(np.mean([one["lesion_f1"] for one in each.values()])),
                        "per_patient": each,
                        "train_seconds": 20.0 + number,
                        "score_seconds": 1.5,
                        "asked": [
                            {"pair": f"pair-{(number + k) % 9}", "slice": 10 + 3 * k} for k in range(batch)
                        ],
                    }
                )
    each = {name: {"dice": FULL["dice"] + easier[name], "lesion_f1": FULL["lesion_f1"]} for name in names}
    return {
        "pool_slice_pairs": POOL,
        "full": {**FULL, "per_seed": [{**FULL, "per_patient": each}]},
        "difference_threshold": {"dice": 0.31, "threshold": 4.5},
        "results": results,
    }


def made_up_slice(pair: str, index: int, change: bool = True) -> AskedSlice:
    """Return a slice pair of two ellipses, with a bright disc where the change is."""
    rows, columns = np.mgrid[-80:80, -64:64]
    head = (rows / 62) ** 2 + (columns / 48) ** 2 < 1
    noise = np.random.default_rng(index).standard_normal((2, *head.shape))
    lesion = np.hypot(rows + 2 * index - 30, columns - 12) < 5
    baseline = np.where(head, 1.2 * np.cos(rows / 14) * np.cos(columns / 11) + 0.4 * noise[0], 0.0)
    followup = np.where(head, baseline + 0.3 * noise[1] + (6.0 * lesion if change else 0.0), 0.0)
    return AskedSlice(pair, index, baseline, followup, followup - baseline, lesion if change else None)


@pytest.fixture
def made_up_results() -> dict[str, Any]:
    """Four strategies, five seeds, six patients: made up."""
    return made_up(SPEEDS)


@pytest.fixture
def make_results() -> Any:
    """Return the maker of made-up results."""
    return made_up


@pytest.fixture
def made_up_strips() -> dict[str, list[AskedSlice]]:
    """Six slice pairs for each of four strategies: made up."""
    return {name: [made_up_slice(f"pair-{k}", 10 + 3 * k, k != 2) for k in range(6)] for name in SPEEDS}


QUICK = TrainingSettings(
    steps=3, pretraining=0, batch=4, patch=32, architecture=Architecture(widths=(8, 8, 16, 16))
)


def with_transforms(table: Path) -> Path:
    """Return a table of the same pairs that names their true transforms too."""
    head, *rows = table.read_text(encoding="utf-8").splitlines()
    longer = [f"{head},reference_transform", *(f"{row},{row.split(',')[0]}/true.tfm" for row in rows)]
    target = table.with_name("with-transforms.csv")
    target.write_text("\n".join(longer) + "\n", encoding="utf-8")
    return target


@pytest.fixture(scope="session")
def plan(small_cohort) -> Plan:
    """Two arms and two seeds on the small cohort, its first patient held out."""
    cohort = replace(real_cohorts(with_transforms(small_cohort.table))[0], name="small")
    arms = (Arm.plain("random"), Arm("bold", "entropy", training={"learning_rate": 0.01}))
    return Plan((cohort,), arms, 2, fractions=(0.1, 0.3), training=QUICK)


@pytest.fixture(scope="session")
def cohort_made(plan, tmp_path_factory) -> Path:
    """A folder of the experiment, whose cohort is made: do not write to it, take `begun` for that."""
    folder = tmp_path_factory.mktemp("experiment")
    make_cohort(plan.cohorts[0], folder / "small", lambda phase, share: None)
    return folder


@pytest.fixture
def begun(cohort_made, tmp_path) -> Callable[[str], Path]:
    """Return a function that gives a folder of that name, in which the cohort is made and nothing ran."""
    return lambda name: shutil.copytree(cohort_made, tmp_path / name)


@pytest.fixture
def without_times() -> Any:
    """Return a function that leaves out of what a run found all that depends on the clock."""

    def kept(found: Any) -> list[dict[str, Any]]:
        entries = found if isinstance(found, list) else [found]
        return [{key: value for key, value in entry.items() if "seconds" not in key} for entry in entries]

    return kept
