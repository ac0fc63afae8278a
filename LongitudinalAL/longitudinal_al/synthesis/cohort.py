"""A synthetic cohort in a folder: two scans a patient, the truth about them, and the table of pairs."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from longitudinal_al.errors import InvalidInput
from longitudinal_al.imaging.writing import write_image, write_transform
from longitudinal_al.project.files import write_atomically, write_bytes
from longitudinal_al.synthesis.anatomy import load_atlas
from longitudinal_al.synthesis.difficulty import TYPICAL, Difficulty
from longitudinal_al.synthesis.patient import Patient, make_patient

COLUMNS = ("pair", "patient", "baseline", "followup", "reference", "reference_transform", "split")
_BLOCK = 7  # one patient of each seven has no change, and never one of the first two
_AT_A_TIME = 2
_LAST = "true_transform.tfm"
_UNFINISHED = "unfinished.txt"
"""Lies in the folder while it is filled."""


def synthesize(
    folder: Path,
    patients: int,
    seed: int,
    *,
    test_fraction: float = 1 / 3,
    difficulty: Difficulty = TYPICAL,
    progress: Callable[[float], None] | None = None,
    executor: Executor | None = None,
) -> Path:
    """Write a cohort of synthetic patients, one pair each.

    A patient depends on the seed and its own number alone, so a larger cohort begins with the smaller one.

    Parameters
    ----------
    folder
        Where to; must be missing, empty, or hold what an interrupted call has left.
    patients
        How many, at least 1.
    seed
        At least 0.
    test_fraction
        Share of the patients, from 0 to 1, that are for testing; spread evenly over the cohort.
    difficulty
        How large the changes are, and what else differs between the visits.
    progress
        Called with the share done, from 0 to 1; what it raises ends the work, and the same call goes on.
    executor
        Where patients are made; by default two at a time on this computer.

    Returns
    -------
    Path
        The table `pairs.csv`, which is written last.

    Raises
    ------
    InvalidInput
        A bad number, or a folder that holds something already.
    StorageFailed
        The disk is full or read-only.
    """
    wanted = f"{patients} patients, seed {seed}, {difficulty.name}, {test_fraction:g} to test on\n"
    _check(folder, patients, seed, test_fraction, wanted)
    report = progress or (lambda share: None)
    report(0.0)
    unfinished = folder / _UNFINISHED
    write_bytes(unfinished, wanted.encode())
    load_atlas()
    with nullcontext(executor) if executor else ThreadPoolExecutor(_AT_A_TIME) as pool:
        tasks = [pool.submit(_write_patient, folder, seed, number, difficulty) for number in range(patients)]
        try:
            for done, task in enumerate(tasks, start=1):
                task.result()
                report(done / patients)
        except BaseException:
            for task in tasks:
                task.cancel()
            raise
    table = folder / "pairs.csv"
    rows = list(_rows(patients, test_fraction))
    write_atomically(table, lambda path: _write_table(path, rows))
    unfinished.unlink(missing_ok=True)
    return table


def _check(folder: Path, patients: int, seed: int, test_fraction: float, wanted: str) -> None:
    if patients < 1:
        raise InvalidInput(f"a cohort of {patients} patients cannot be made: ask for at least 1")
    if seed < 0:
        raise InvalidInput(f"the seed is {seed}: give a whole number from 0 up")
    if not 0 <= test_fraction <= 1:
        raise InvalidInput(f"the share of test patients is {test_fraction}: give a number from 0 to 1")
    unfinished = folder / _UNFINISHED
    if not unfinished.is_file():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InvalidInput(f"{folder} holds something already: name a new or an empty folder")
    elif (begun := unfinished.read_text(encoding="utf-8")) != wanted:
        raise InvalidInput(
            f"{folder} holds a cohort that was begun and not finished ({begun.strip()}): ask for the same, "
            "or name a new or an empty folder"
        )


def has_change(seed: int, number: int) -> bool:
    """Tell whether a patient has any change: one of each seven has none."""
    block, place = divmod(number, _BLOCK)
    return place != int(np.random.default_rng([seed, block, 1]).integers(2, _BLOCK))


def is_test(number: int, test_fraction: float) -> bool:
    """Tell whether a patient is for testing: with a third, the second of each three."""
    before, after = (np.floor(n * test_fraction + 0.5 + 1e-9) for n in (number, number + 1))
    return bool(after > before)


def draw_patient(seed: int, number: int, difficulty: Difficulty = TYPICAL) -> Patient:
    """Make one patient of a cohort, from the seed, the patient's number (from 0) and the difficulty alone."""
    generator = np.random.default_rng([seed, number, 0])
    changing = has_change(seed, number)
    return make_patient(load_atlas(), generator, changing=changing, difficulty=difficulty)


def _name(number: int) -> str:
    return f"synthetic{number + 1:03d}"


def _rows(patients: int, test_fraction: float) -> Iterator[tuple[str, ...]]:
    for number in range(patients):
        name = _name(number)
        files = ("baseline.nii.gz", "followup.nii.gz", "reference.nii.gz", _LAST)
        split = "test" if is_test(number, test_fraction) else "pool"
        yield (name, name, *(f"{name}/{file}" for file in files), split)


def _write_table(path: Path, rows: list[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def _write_patient(folder: Path, seed: int, number: int, difficulty: Difficulty) -> None:
    """Write a patient's files, the transform last; what an interrupted call has finished is left alone."""
    place = folder / _name(number)
    if (place / _LAST).is_file():
        return
    patient = draw_patient(seed, number, difficulty)
    write_image(patient.baseline, place / "baseline.nii.gz")
    write_image(patient.followup, place / "followup.nii.gz")
    write_image(patient.reference, place / "reference.nii.gz")
    write_transform(patient.transform, place / _LAST)
