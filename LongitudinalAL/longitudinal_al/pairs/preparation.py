"""From two scans to slice pairs: register, check, bring onto one grid, difference, cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from longitudinal_al.errors import LongitudinalALError, RegistrationFailed, StorageFailed
from longitudinal_al.imaging.difference import difference_score, differences
from longitudinal_al.imaging.foreground import compute_foreground
from longitudinal_al.imaging.normalisation import normalise
from longitudinal_al.imaging.reading import acquisition_time, read_scan
from longitudinal_al.imaging.registration import register, resample_to
from longitudinal_al.imaging.registration_check import RegistrationCheck, check_registration
from longitudinal_al.imaging.writing import write_image, write_transform
from longitudinal_al.pairs.frame import Frame
from longitudinal_al.pairs.given_masks import RegisteredScans, carry_mask
from longitudinal_al.pairs.pixel_size import network_pixel_mm
from longitudinal_al.pairs.prepared import Prepared, is_current, preparation_key
from longitudinal_al.pairs.slices import slice_axis, slices_of, spacing_of
from longitudinal_al.pairs.stack import write_stack
from longitudinal_al.project.records import Pair, PairState, Verdict
from longitudinal_al.project.store import Project

Progress = Callable[[str, float], None]
QUANTUM = 1 / 64
"""Prepared volumes are rounded to this part of a robust z: far below the noise, and half the size on disk."""


@dataclass(frozen=True)
class Failure:
    """A pair that could not be prepared, and why."""

    pair: str
    reason: str


@dataclass(frozen=True)
class Volumes:
    """A pair on its grid, ready to be written and cut."""

    baseline: sitk.Image
    followup: sitk.Image
    difference: sitk.Image
    foreground: sitk.Image
    reference: sitk.Image | None


def prepare_project(project: Project, *, progress: Progress | None = None, seed: int = 0) -> list[Failure]:
    """Prepare every pair that is not prepared yet, or whose scans have changed since.

    A pair that fails is set aside with its reason, and the others go on.

    Parameters
    ----------
    project : Project
        An open project.
    progress : callable, optional
        Called with the pair's id and the share of all work that is done, from 0 to 1.
    seed : int
        Of the random steps of the registration.

    Returns
    -------
    list of Failure
        The pairs that could not be prepared now.

    Raises
    ------
    StorageFailed
        When the disk is full or gone.
    ProjectBusy
        When another process prepares or trains.
    """
    failures = []
    with project.writer_lock("prepare"):
        pixel_mm = network_pixel_mm(project)
        pairs = project.pairs()
        for done, pair in enumerate(pairs):
            if progress:
                progress(pair.id, done / len(pairs))
            try:
                prepare_pair(project, pair, pixel_mm, seed=seed)
            except StorageFailed:
                raise
            except LongitudinalALError as error:
                project.set_failed(pair.id, str(error), getattr(error, "figures", {}))
                failures.append(Failure(pair.id, str(error)))
        if progress:
            progress("", 1.0)
    return failures


def prepare_pair(project: Project, pair: Pair, pixel_mm: float, *, seed: int = 0) -> None:
    """Prepare one pair, unless it is prepared already.

    Leaves ``baseline``, ``followup``, ``difference``, ``foreground`` (and ``reference``, if there is one) as
    ``.nii.gz`` on the pair's grid, which is the follow-up's own, and the slices cut for the network.

    Raises
    ------
    InvalidInput
        When a scan or a mask cannot be used.
    RegistrationFailed
        When the registration check does not trust the transform.
    """
    folder = project.pair_folder(pair.id)
    key = preparation_key(pair, pixel_mm)
    if pair.state is PairState.PREPARED and is_current(folder, key, pair.reference is not None):
        return
    baseline, followup = read_scan(pair.baseline), read_scan(pair.followup)
    registration = register(baseline, followup, seed=seed)
    check = check_registration(baseline, followup, registration.transform)
    if check.verdict is Verdict.FAILED:
        raise RegistrationFailed(f"pair {pair.id}: {check.reason}")
    volumes = bring_onto_grid(pair, baseline, followup, registration.transform)
    _write_volumes(folder, volumes)
    write_transform(registration.transform, folder / "transform.tfm")
    prepared = _cut(folder, volumes, key, pixel_mm)
    prepared.write(folder)
    verdict, reason = _with_dates_checked(pair, check)
    project.set_prepared(pair.id, verdict, reason, check.figures, len(prepared.slices))


def _with_dates_checked(pair: Pair, check: RegistrationCheck) -> tuple[Verdict, str]:
    """Ask for a look when the scans' own dates say that baseline and follow-up are swapped."""
    first, second = acquisition_time(pair.baseline), acquisition_time(pair.followup)
    if first is None or second is None or first <= second:
        return check.verdict, check.reason
    swapped = "by the scans' own dates the baseline is the later one: are they swapped in the table?"
    return Verdict.LOOK, f"{swapped} {check.reason}".strip()


def bring_onto_grid(
    pair: Pair, baseline: sitk.Image, followup: sitk.Image, transform: sitk.Transform
) -> Volumes:
    """Bring everything onto the follow-up's grid, normalise and difference it.

    Parameters
    ----------
    pair : Pair
        Names the masks that were given.
    baseline, followup : SimpleITK.Image
        The scans as read.
    transform : SimpleITK.Transform
        From points of the follow-up's space to points of the baseline's.
    """
    moved = resample_to(baseline, followup, transform, interpolator="cubic")
    scans = RegisteredScans(baseline, followup, transform)
    if pair.foreground is not None:
        foreground = carry_mask(pair.foreground, pair.foreground_transform, "foreground", scans) > 0
    else:
        foreground = compute_foreground(followup, moved)
    reference = None
    if pair.reference is not None:
        reference = carry_mask(pair.reference, pair.reference_transform, "reference", scans)
    return Volumes(
        normalise(moved, foreground),
        normalise(followup, foreground),
        differences(moved, followup, foreground)["robust"],
        foreground,
        reference,
    )


def _write_volumes(folder: Path, volumes: Volumes) -> None:
    for name in ("baseline", "followup", "difference"):
        write_image(_rounded(getattr(volumes, name)), folder / f"{name}.nii.gz")
    write_image(volumes.foreground, folder / "foreground.nii.gz")
    if volumes.reference is not None:
        write_image(volumes.reference, folder / "reference.nii.gz")


def _rounded(image: sitk.Image) -> sitk.Image:
    return sitk.Round(image / QUANTUM) * QUANTUM


def _cut(folder: Path, volumes: Volumes, key: str, pixel_mm: float) -> Prepared:
    """Cut the pool's slices, and score the difference of each."""
    axis = slice_axis(volumes.followup)
    spacing = spacing_of(volumes.followup, axis)
    inside = slices_of(volumes.foreground, axis) > 0
    named = ("baseline", "followup", "difference")
    arrays = {name: slices_of(getattr(volumes, name), axis) for name in named}
    frame = Frame.around(np.any(inside, axis=0), spacing[1:], pixel_mm)
    chosen = [int(index) for index in np.flatnonzero(inside.any(axis=(1, 2)))]
    first, last = chosen[0], chosen[-1]
    write_stack(folder, frame, arrays, inside, range(first, last + 1))
    scores = [float(difference_score(arrays["difference"][index])) for index in chosen]
    return Prepared(key, axis, first, chosen, scores, list(spacing), frame)
