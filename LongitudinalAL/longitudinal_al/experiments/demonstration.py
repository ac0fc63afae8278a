"""From nothing to a report: a cohort, its preparation, and strategies compared on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from longitudinal_al.errors import InvalidInput, NotReady
from longitudinal_al.experiments.comparison import simulate
from longitudinal_al.experiments.runs import COLD_START
from longitudinal_al.experiments.simulation import SimulationSettings
from longitudinal_al.experiments.summary import summary_sentences
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.preparation import Failure, prepare_project
from longitudinal_al.project.records import Pair, Split
from longitudinal_al.project.store import Project
from longitudinal_al.project.table import read_pairs_table
from longitudinal_al.synthesis.cohort import synthesize

Progress = Callable[[str, float], None]

PATIENTS = 21
BUDGET = 0.08
ROUNDS = 3
STRATEGIES = ("random", "difference", "entropy", "recipe")
TEST_EVERY = 3


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration leaves: the page, the summary in words, and the pairs that failed."""

    report: Path
    summary: list[str]
    failures: list[Failure]


def demonstrate(
    out: Path,
    data: Path | None = None,
    *,
    seed: int = 1,
    allow_outside: bool = False,
    training: TrainingSettings | None = None,
    progress: Progress = lambda phase, share: None,
) -> Demonstration:
    """Run the whole loop with a simulated annotator; the same call goes on where it was interrupted.

    Parameters
    ----------
    out : Path
        Gets the cohort, the project and the report.
    data : Path, optional
        A folder with `pairs.csv`; by default a synthetic cohort is made.
    seed : int
        Of the synthetic cohort.
    allow_outside : bool
        Whether the table's paths may leave its folder.
    training : TrainingSettings, optional
        Of every round; by default the product's own.
    progress : callable
        Called with what is being done and the share of this step that is done.

    Raises
    ------
    InvalidInput
        When the table has no references, or ``out`` holds the demonstration of other data.
    """
    table = _synthetic_table(out / "cohort", seed, progress) if data is None else data / "pairs.csv"
    pairs = with_test_pairs(read_pairs_table(table, allow_outside))
    with Project.open_or_create(out / "project") as project:
        _check_same_pairs(project, pairs, out)
        project.add_pairs(pairs)
        failures = prepare_project(
            project, progress=lambda pair, share: progress(f"preparing {pair}", share), seed=0
        )
        batch = max(1, round(BUDGET * project.status()["pool_slice_pairs"] / ROUNDS))
        # Begun by the difference, `entropy` would be the recipe once more.
        settings = SimulationSettings(
            BUDGET, batch, cold_start=COLD_START, training=training or TrainingSettings()
        )
        results = simulate(
            project, STRATEGIES, BUDGET, batch, 1, out / "report", settings=settings, progress=progress
        )
    return Demonstration(out / "report" / "report.html", summary_sentences(results), failures)


def with_test_pairs(pairs: Sequence[Pair]) -> list[Pair]:
    """Set every third patient aside as test, unless the table says which are.

    Raises
    ------
    InvalidInput
        When a pair has no reference, or there is only one patient.
    """
    without = [pair.id for pair in pairs if pair.reference is None]
    if without:
        raise InvalidInput(
            f"pair {without[0]} has no reference: the simulated annotator needs a mask of change for each "
            "pair (column `reference`); without masks, use `create`, `add`, `prepare` and `rank` instead"
        )
    if any(pair.split is Split.TEST for pair in pairs):
        return list(pairs)
    patients = sorted({pair.patient for pair in pairs})
    if len(patients) < 2:
        raise InvalidInput("one patient is not enough: at least one to learn from and one to test on")
    aside = set(patients[TEST_EVERY - 1 :: TEST_EVERY] or patients[-1:])
    return [replace(pair, split=Split.TEST if pair.patient in aside else Split.POOL) for pair in pairs]


def _synthetic_table(folder: Path, seed: int, progress: Progress) -> Path:
    table = folder / "pairs.csv"
    if table.is_file():
        return table
    return synthesize(
        folder, PATIENTS, seed, progress=lambda share: progress("making a synthetic cohort", share)
    )


def _check_same_pairs(project: Project, pairs: Sequence[Pair], out: Path) -> None:
    before = {(pair.id, pair.followup) for pair in project.pairs()}
    if before and before != {(pair.id, pair.followup.resolve()) for pair in pairs}:
        raise InvalidInput(f"{out} holds the demonstration of other scans: choose another folder")
    if not pairs:
        raise NotReady("the table has no pairs")
