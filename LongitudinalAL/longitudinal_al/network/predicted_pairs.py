"""Masks of change for whole pairs, on the pair's grid and on the follow-up's own, and the changes listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from longitudinal_al.errors import NotReady
from longitudinal_al.imaging.reading import read_scan, same_grid
from longitudinal_al.imaging.writing import write_image
from longitudinal_al.network.change_list import NUMBERS_FILE, find_changes, write_changes
from longitudinal_al.network.checkpoint import newest_committee
from longitudinal_al.network.committee import Committee
from longitudinal_al.network.sure_pieces import pair_probability, sure_pieces
from longitudinal_al.pairs.pool import Pool, PreparedPair
from longitudinal_al.pairs.slices import volume_of
from longitudinal_al.project.classes import DEFAULT_CLASSES
from longitudinal_al.project.store import Project

PAIR_GRID = "change.nii.gz"
FOLLOWUP_GRID = "change-on-followup.nii.gz"

Progress = Callable[[str, float], None]


def predict_pairs(
    project: Project,
    pair_ids: Sequence[str] | None,
    out: Path,
    progress: Progress = lambda phase, share: None,
    committee_of: Callable[[Project], Committee] = newest_committee,
) -> list[Path]:
    """Write the predicted masks of change.

    Parameters
    ----------
    project : Project
        With prepared pairs and a trained model.
    pair_ids : sequence of str or None
        Which pairs; None for every prepared one.
    out : Path
        Gets a folder for each pair, with `PAIR_GRID` and `FOLLOWUP_GRID` in it, and the changes one by one
        in `CHANGES_FILE` and `NUMBERS_FILE` (see `change_list`).
    progress : callable
        Called with the pair's id and the share that is done.
    committee_of : callable
        Returns the networks of a project that decide together; by default those of its newest rounds.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    NotReady
        When a pair is not prepared, or there is no model.
    """
    pool = Pool.open(project, split=None)
    wanted = list(pool.pairs) if pair_ids is None else list(pair_ids)
    for name in wanted:
        if name not in pool.pairs:
            raise NotReady(f"pair {name} is not prepared: run `longitudinal-al prepare` first")
    committee = committee_of(project)
    written: list[Path] = []
    for done, name in enumerate(wanted):
        progress(name, done / len(wanted))
        prepared = pool.pairs[name]
        within = partial(_within, progress, name, done, len(wanted))
        mask = predicted_volume(committee, pool, prepared, within)
        written += _write_on_both_grids(mask, prepared, out / name)
        _write_changes(mask, prepared, predicted_classes(project.classes), out / name)
    progress("done", 1.0)
    return written


def _within(progress: Progress, name: str, done: int, pairs: int, share: float) -> None:
    progress(name, (done + share) / pairs)


def predicted_volume(
    committee: Committee,
    pool: Pool,
    prepared: PreparedPair,
    progress: Callable[[float], None] = lambda share: None,
) -> sitk.Image:
    """Predict every slice of a pair; uint8, on the pair's grid. Reports the share done slice by slice."""
    grid = prepared.grid()
    axis = prepared.record.slice_axis
    count = grid.GetSize()[2 - axis]
    probability = pair_probability(committee, pool, prepared.pair.id, count, progress)
    return volume_of(sure_pieces(probability).astype(np.uint8), axis, grid)


def _write_on_both_grids(mask: sitk.Image, prepared: PreparedPair, folder: Path) -> Iterable[Path]:
    followup = read_scan(prepared.pair.followup)
    on_followup = mask
    if not same_grid(mask, followup):
        identity = sitk.Transform(3, sitk.sitkIdentity)
        on_followup = sitk.Resample(mask, followup, identity, sitk.sitkNearestNeighbor, 0)
    for image, name in ((mask, PAIR_GRID), (on_followup, FOLLOWUP_GRID)):
        write_image(image, folder / name)
        yield folder / name


def predicted_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """Return the names of what the network tells apart: change of whatever kind, so far."""
    return tuple(classes) if len(classes) == 1 else DEFAULT_CLASSES


def _write_changes(mask: sitk.Image, prepared: PreparedPair, classes: Sequence[str], folder: Path) -> None:
    changes, numbers = find_changes(mask, classes, prepared.record.slice_axis)
    write_image(numbers, folder / NUMBERS_FILE)
    write_changes(folder, prepared.pair.id, changes)
