"""One pair: register, check, bring onto one grid, difference, cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from longitudinal_al.imaging.difference import difference, difference_score
from longitudinal_al.imaging.foreground import compute_foreground, covered_by
from longitudinal_al.imaging.normalisation import image_like, normalise
from longitudinal_al.imaging.poses import pose_of_transform, transform_of_pose
from longitudinal_al.imaging.reading import acquisition_time, read_scan
from longitudinal_al.imaging.registration import register, resample_to
from longitudinal_al.imaging.registration_check import RegistrationCheck, check_pose, reduced_scans
from longitudinal_al.imaging.writing import write_image, write_transform
from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.pairs.frame import Frame
from longitudinal_al.pairs.given_masks import GivenMask, RegisteredScans, carry_mask, read_given_mask
from longitudinal_al.pairs.prepared import Prepared
from longitudinal_al.pairs.slices import slice_axis, slices_of, spacing_of
from longitudinal_al.pairs.stack import write_stack
from longitudinal_al.project.by_hand import overruled_reason
from longitudinal_al.project.records import Pair, Verdict

QUANTUM = 1 / 64
"""Prepared volumes are rounded to this part of a robust z: far below the noise, and half the size on disk."""


@dataclass(frozen=True)
class Outcome:
    """What preparing a pair found out; a pair whose check failed has no slice pairs."""

    verdict: Verdict
    reason: str
    figures: Mapping[str, float]
    slice_pairs: int


@dataclass(frozen=True)
class Placed:
    """A pair on its grid, as scanned."""

    baseline: sitk.Image
    followup: sitk.Image
    foreground: sitk.Image
    reference: sitk.Image | None


def prepare_pair(
    folder: Path,
    pair: Pair,
    key: str,
    pixel_mm: float,
    seed: int = 0,
    interrupt: Interrupt = never,
) -> Outcome:
    """Prepare one pair; touches nothing but its folder, so pairs can be prepared side by side.

    Leaves ``baseline``, ``followup``, ``difference``, ``foreground`` (and ``reference``, if there is one) as
    ``.nii.gz`` on the pair's grid, which is the follow-up's own, and the slices cut for the network.

    Parameters
    ----------
    folder : Path
        Gets the files; made when missing.
    pair : Pair
        Names the scans and the masks that were given.
    key : str
        See `preparation_key`.
    pixel_mm : float
        Size of a network pixel.
    seed : int
        Of the random steps of the registration.
    interrupt : callable
        Called several times a second, on both threads that work on the pair; what it raises ends the work,
        and the pair stays unprepared.

    Raises
    ------
    InvalidInput
        When a scan or a mask cannot be used.
    RegistrationFailed
        When no transform was found at all.
    """
    baseline = read_scan(pair.baseline)
    interrupt()
    followup = read_scan(pair.followup)
    interrupt()
    with _thread_beside() as beside:
        reading = beside.submit(read_given_masks, pair)
        transform = _registered(pair, baseline, followup, seed, interrupt)
        looked_at, pose = reduced_scans(baseline, followup), pose_of_transform(transform)
        scans = RegisteredScans(baseline, followup, transform)
        placing = beside.submit(bring_onto_grid, scans, reading.result(), interrupt)
        interrupt()
        check = _overruled(pair, check_pose(looked_at, pose, interrupt))
        interrupt()
        if check.verdict is Verdict.FAILED:
            return Outcome(check.verdict, check.reason, check.figures, 0)
        prepared = _difference_and_write(folder, placing.result(), key, pixel_mm, beside, interrupt)
    write_transform(transform, folder / "transform.tfm")
    prepared.write(folder)
    verdict, reason = _with_dates_checked(pair, check)
    return Outcome(verdict, reason, check.figures, len(prepared.slices))


def _registered(
    pair: Pair, baseline: sitk.Image, followup: sitk.Image, seed: int, interrupt: Interrupt
) -> sitk.Transform:
    """Return the registration that a human gave, or search for one, or search from the given one."""
    given = pair.registration
    pose = None if given is None else np.array(given.matrix).reshape(4, 4)
    if pose is not None and given is not None and not given.refine:
        return transform_of_pose(pose, np.zeros(3))
    return register(baseline, followup, seed=seed, start=pose, interrupt=interrupt).transform


def _overruled(pair: Pair, check: RegistrationCheck) -> RegistrationCheck:
    """Put a human's verdict above that of the check."""
    if pair.overruled is None:
        return check
    return replace(check, verdict=pair.overruled, reason=overruled_reason(pair.overruled, check.reason))


@contextmanager
def _thread_beside() -> Iterator[ThreadPoolExecutor]:
    """Give a second thread; what it has not begun when the work ends early is dropped."""
    beside = ThreadPoolExecutor(1)
    try:
        yield beside
    finally:
        beside.shutdown(wait=True, cancel_futures=True)


def _with_dates_checked(pair: Pair, check: RegistrationCheck) -> tuple[Verdict, str]:
    """Ask for a look when the scans' own dates say that baseline and follow-up are swapped."""
    first, second = acquisition_time(pair.baseline), acquisition_time(pair.followup)
    if first is None or second is None or first <= second:
        return check.verdict, check.reason
    swapped = "by the scans' own dates the baseline is the later one: are they swapped in the table?"
    verdict = Verdict.LOOK if pair.overruled is None else check.verdict  # a human's is above that too
    return verdict, f"{swapped} {check.reason}".strip()


def read_given_masks(pair: Pair) -> dict[str, GivenMask]:
    """Read the pair's foreground and reference, whichever were given."""
    named = {
        "foreground": (pair.foreground, pair.foreground_transform),
        "reference": (pair.reference, pair.reference_transform),
    }
    return {
        what: read_given_mask(path, transform, what)
        for what, (path, transform) in named.items()
        if path is not None
    }


def bring_onto_grid(
    scans: RegisteredScans, masks: Mapping[str, GivenMask], interrupt: Interrupt = never
) -> Placed:
    """Bring everything onto the follow-up's grid; without a given foreground it is computed."""
    moved = resample_to(scans.baseline, scans.followup, scans.registration, interpolator="linear")
    carried = {}
    for what, mask in masks.items():
        interrupt()
        carried[what] = carry_mask(mask, scans)
    interrupt()
    axis = slice_axis(scans.followup)
    if "foreground" in carried:
        foreground = covered_by(carried["foreground"] > 0, moved, axis)
    else:
        foreground = compute_foreground(scans.followup, moved, interrupt, axis)
    return Placed(moved, scans.followup, foreground, carried.get("reference"))


def _difference_and_write(
    folder: Path,
    placed: Placed,
    key: str,
    pixel_mm: float,
    beside: ThreadPoolExecutor,
    interrupt: Interrupt,
) -> Prepared:
    """Difference and cut a pair while the thread beside normalises, packs and writes its volumes.

    The thread gets copies, or images that are not touched again: SimpleITK copies on write, which two
    threads must not do at once.
    """
    interrupt()
    axis = slice_axis(placed.followup)
    spacing = spacing_of(placed.followup, axis)
    copied = _copy(placed.foreground)
    normalising = {
        name: beside.submit(_write_normalised, _copy(image), copied, folder / f"{name}.nii.gz", interrupt)
        for name, image in (("baseline", placed.baseline), ("followup", placed.followup))
    }
    images = {"difference": _difference(placed, axis, interrupt), "foreground": placed.foreground}
    arrays = {name: slices_of(image, axis) for name, image in images.items()}
    if placed.reference is not None:
        images["reference"] = placed.reference
    writing = [beside.submit(write_image, image, folder / f"{name}.nii.gz") for name, image in images.items()]
    interrupt()
    arrays |= {name: np.moveaxis(job.result(), axis, 0) for name, job in normalising.items()}
    interrupt()
    prepared = _cut(folder, arrays, axis, spacing, key, pixel_mm, interrupt)
    for written in writing:
        written.result()
    return prepared


def _difference(placed: Placed, axis: int, interrupt: Interrupt) -> sitk.Image:
    scans = (placed.baseline, placed.followup, placed.foreground)
    return _rounded(difference(*scans, slice_axis=axis, interrupt=interrupt))


def _write_normalised(
    scan: sitk.Image, foreground: sitk.Image, path: Path, interrupt: Interrupt
) -> np.ndarray:
    """Write a scan in robust z, and return its voxels."""
    interrupt()
    image = _rounded(normalise(scan, foreground))
    interrupt()
    write_image(image, path)
    return sitk.GetArrayFromImage(image)


def _copy(image: sitk.Image) -> sitk.Image:
    """Copy the voxels too, which SimpleITK's own copies share until one of them is changed."""
    return image_like(image, sitk.GetArrayViewFromImage(image))


def _rounded(image: sitk.Image) -> sitk.Image:
    rounded = np.rint(sitk.GetArrayViewFromImage(image) / QUANTUM, dtype=np.float32) * np.float32(QUANTUM)
    return image_like(image, rounded)


def _cut(
    folder: Path,
    arrays: Mapping[str, np.ndarray],
    axis: int,
    spacing: tuple[float, float, float],
    key: str,
    pixel_mm: float,
    interrupt: Interrupt,
) -> Prepared:
    """Cut the pool's slices, and score the difference of each; arrays and mm of (slices, rows, columns)."""
    inside = arrays["foreground"] > 0
    frame = Frame.around(np.any(inside, axis=0), spacing[1:], pixel_mm)
    chosen = [int(index) for index in np.flatnonzero(inside.any(axis=(1, 2)))]
    first, last = chosen[0], chosen[-1]
    write_stack(folder, frame, arrays, inside, range(first, last + 1), interrupt)
    interrupt()
    pixel_mm2 = spacing[1] * spacing[2]
    scores = [difference_score(arrays["difference"][index], pixel_mm2=pixel_mm2) for index in chosen]
    return Prepared(key, axis, first, chosen, scores, list(spacing), frame)
