"""The experiment's cohorts: synthetic ones of three difficulties, and real pairs read in both directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import SimpleITK as sitk

from longitudinal_al.errors import InvalidInput, NotReady
from longitudinal_al.imaging.reading import read_mask, read_scan, read_transform, same_grid
from longitudinal_al.imaging.registration import register
from longitudinal_al.imaging.writing import write_transform
from longitudinal_al.pairs.preparation import prepare_project
from longitudinal_al.project.files import write_json
from longitudinal_al.project.records import Pair, Split
from longitudinal_al.project.store import Project
from longitudinal_al.project.table import read_pairs_table
from longitudinal_al.synthesis.cohort import synthesize
from longitudinal_al.synthesis.difficulty import difficulty

Progress = Callable[[str, float], None]
FINISHED = "cohort.json"


@dataclass(frozen=True)
class Cohort:
    """Patients to label and patients to test on.

    Attributes
    ----------
    name : str
        Of its folder and of its part of the report.
    difficulty : str
        A key of `DIFFICULTIES`; "" for real pairs.
    pool, test : int
        How many synthetic patients there are of each.
    seed : int
        Of the synthetic patients.
    real : Path or None
        The table of real pairs with references.
    held_out : str
        Of real pairs: the patient to test on; the others are the pool.
    """

    name: str
    difficulty: str = ""
    pool: int = 0
    test: int = 0
    seed: int = 0
    real: Path | None = None
    held_out: str = ""


def make_cohort(
    cohort: Cohort, folder: Path, progress: Progress, *, executor: Executor | None = None
) -> Path:
    """Make a cohort's project, prepared; what an earlier call has done is not done again.

    Parameters
    ----------
    cohort : Cohort
        Which.
    folder : Path
        Gets the scans and the project.
    progress : callable
        Called with what is being done and the share of this step that is done.
    executor : Executor, optional
        Where scans are made and pairs prepared; by default on this computer.

    Returns
    -------
    Path
        The project's folder.

    Raises
    ------
    NotReady
        When a pair could not be prepared: a cohort with fewer patients would be another experiment.
    """
    project_folder = folder / "project"
    if (folder / FINISHED).is_file():
        return project_folder
    pairs = (
        _real_pairs(cohort, folder) if cohort.real else _synthetic_pairs(cohort, folder, progress, executor)
    )
    with Project.open_or_create(project_folder) as project:
        project.add_pairs(pairs)
        failures = prepare_project(
            project,
            progress=lambda pair, share: progress(f"{cohort.name}: preparing {pair}", share),
            seed=0,
            executor=executor,
        )
    if failures:
        raise NotReady(f"{cohort.name}: pair {failures[0].pair} could not be prepared: {failures[0].reason}")
    write_json(folder / FINISHED, {"cohort": cohort.name, "pairs": [pair.id for pair in pairs]})
    return project_folder


def real_cohorts(table: Path) -> list[Cohort]:
    """Return one cohort a patient of a table of real pairs: each is tested on once.

    Raises
    ------
    InvalidInput
        There is only one patient, or a pair has no reference.
    """
    pairs = read_pairs_table(table, allow_outside=True)
    without = [pair.id for pair in pairs if pair.reference is None]
    if without:
        raise InvalidInput(f"{table}: pair {without[0]} has no reference, and cannot be labelled or tested")
    patients = sorted({pair.patient for pair in pairs})
    if len(patients) < 2:
        raise InvalidInput(f"{table}: one patient only; the experiment needs one to label and one to test on")
    return [Cohort(f"real-{name}", real=table, held_out=name) for name in patients]


def _synthetic_pairs(
    cohort: Cohort, folder: Path, progress: Progress, executor: Executor | None
) -> Sequence[Pair]:
    table = folder / "scans" / "pairs.csv"
    if not table.is_file():
        patients = cohort.pool + cohort.test
        synthesize(
            folder / "scans",
            patients,
            cohort.seed,
            test_fraction=cohort.test / patients,
            difficulty=difficulty(cohort.difficulty),
            progress=lambda share: progress(f"{cohort.name}: making scans", share),
            executor=executor,
        )
    return read_pairs_table(table)


def _real_pairs(cohort: Cohort, folder: Path) -> Sequence[Pair]:
    """Return real pairs, each also with its scans exchanged: what was new has then vanished."""
    assert cohort.real is not None
    both = []
    for pair in read_pairs_table(cohort.real, allow_outside=True):
        split = Split.TEST if pair.patient == cohort.held_out else Split.POOL
        both += [
            replace(pair, split=split),
            replace(exchanged(pair, folder / "exchanged" / pair.id), split=split),
        ]
    return both


def exchanged(pair: Pair, folder: Path) -> Pair:
    """Return a pair whose follow-up is the other's baseline, with transforms of its masks to match.

    A mask's transform leads to the baseline, which is then the other scan: the pair is registered for that.

    Parameters
    ----------
    pair : Pair
        With a reference, a foreground, both or neither.
    folder : Path
        Where the transforms are written.
    """
    followup = read_scan(pair.followup)
    to_followup = cache(lambda: register(read_scan(pair.baseline), followup, seed=0).transform.GetInverse())

    def transform_of(what: str, mask: Path | None, given: Path | None) -> Path | None:
        transform = sitk.CompositeTransform(3)
        if given is not None:
            transform = sitk.CompositeTransform([to_followup(), read_transform(given)])
            transform.FlattenTransform()  # what was read may be a composite itself, which no file nests
        elif mask is None or not same_grid(read_mask(mask), followup):
            return None
        write_transform(transform, folder / f"{what}.tfm")
        return folder / f"{what}.tfm"

    return replace(
        pair,
        id=f"{pair.id}-backwards",
        baseline=pair.followup,
        followup=pair.baseline,
        reference_transform=transform_of("reference", pair.reference, pair.reference_transform),
        foreground_transform=transform_of("foreground", pair.foreground, pair.foreground_transform),
    )
