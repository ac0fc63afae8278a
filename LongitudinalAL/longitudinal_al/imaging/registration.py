"""Find the transform between two scans of one head, from far away, in about a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from longitudinal_al.errors import UnknownName
from longitudinal_al.imaging.alignment import Alignment, Pairing
from longitudinal_al.imaging.poses import transform_of_pose
from longitudinal_al.imaging.registration_start import find_starts
from longitudinal_al.imaging.registration_volume import (
    drawn_points,
    head_mask,
    inside_skull,
    locally_normalised,
    reduced,
    smoothed,
)
from longitudinal_al.interruption import Interrupt, never

MODELS = ("rigid", "affine")
INTERPOLATORS = {"linear": sitk.sitkLinear, "cubic": sitk.sitkBSpline, "nearest": sitk.sitkNearestNeighbor}


@dataclass(frozen=True)
class Level:
    """One resolution of the refinement."""

    resolution_mm: float
    blur_mm: float
    window_mm: float
    points: int
    tolerance_mm: float
    steps: int
    brain_only: bool = False


LEVELS = (
    Level(resolution_mm=4.0, blur_mm=3.0, window_mm=40.0, points=8_000, tolerance_mm=0.3, steps=20),
    Level(resolution_mm=2.1, blur_mm=1.5, window_mm=20.0, points=30_000, tolerance_mm=0.1, steps=12),
    Level(
        resolution_mm=1.4,
        blur_mm=1.0,
        window_mm=16.0,
        points=60_000,
        tolerance_mm=0.02,
        steps=12,
        brain_only=True,
    ),
)

LARGEST_SCALE = 1.06  # gradients of a scanner are off by a few per cent at most
AFFINE_STEPS = 30
LEAST_KEPT_OVERLAP = 0.97


@dataclass(frozen=True)
class Registration:
    """The transform maps points of the follow-up's space to the baseline's."""

    transform: sitk.Transform
    seconds: float
    model: str


def register(
    baseline: sitk.Image,
    followup: sitk.Image,
    model: str = "rigid",
    *,
    seed: int = 0,
    start: np.ndarray | None = None,
    progress: Callable[[float], None] | None = None,
    interrupt: Interrupt = never,
) -> Registration:
    """Register the follow-up to the baseline.

    A coarse search over turns and shifts gives a few starts; robust least squares on locally normalised
    scans, from 4 to 1.4 mm, refine them. The same scans and seed give the same numbers on one machine.

    Parameters
    ----------
    baseline, followup
        Two 3-D scans of one head, float32, from scanners of similar contrast; any grid and position.
    model
        "rigid" (6 degrees of freedom) or "affine" (12; kept only where it is plausible).
    seed
        Of the points that are compared.
    start
        A pose (4 x 4, from the follow-up's points to the baseline's) to begin at, instead of a search.
    progress
        Called with the share that is done, 0 to 1.
    interrupt
        Called between the steps, on the thread of the caller.

    Returns
    -------
    registration
        Its `model` says "rigid" where an affine one was asked for and was not plausible.

    Raises
    ------
    UnknownName
        When there is no such model.
    """
    if model not in MODELS:
        raise UnknownName("registration model", model, MODELS)
    begun, report = time.perf_counter(), progress or (lambda share: None)
    generator = np.random.default_rng(seed)
    report(0.0)
    found = [] if start is not None else find_starts(baseline, followup, generator, interrupt)
    poses = [one.pose for one in found] if start is None else [start]
    for number, level in enumerate(LEVELS, start=1):
        report(number / (len(LEVELS) + 1))
        pairing = _pairing(baseline, followup, level, generator, interrupt)
        rigid = max((_refined(pairing, pose, level, interrupt) for pose in poses), key=_agreement)
        poses = [rigid.pose]
    best = _affine(pairing, rigid, interrupt) if model == "affine" else rigid
    report(1.0)
    kept = "rigid" if best is rigid else model
    return Registration(transform_of_pose(best.pose, pairing.centre), time.perf_counter() - begun, kept)


def _refined(pairing: Pairing, pose: np.ndarray, level: Level, interrupt: Interrupt) -> Alignment:
    return pairing.refine(pose, steps=level.steps, tolerance_mm=level.tolerance_mm, interrupt=interrupt)


def _agreement(alignment: Alignment) -> float:
    return alignment.correlation


def _pairing(
    baseline: sitk.Image,
    followup: sitk.Image,
    level: Level,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> Pairing:
    plain, volumes = [], []
    for image in (baseline, followup):
        interrupt()
        plain.append(reduced(image, level.resolution_mm))
        interrupt()
        volumes.append(locally_normalised(smoothed(plain[-1], level.blur_mm), level.window_mm))
    interrupt()
    head = head_mask(plain[1])
    compared = inside_skull(head) if level.brain_only else head
    interrupt()
    return Pairing(volumes[0], volumes[1], drawn_points(compared.values, level.points, generator))


def _affine(pairing: Pairing, rigid: Alignment, interrupt: Interrupt) -> Alignment:
    """Refine with scale and shear; the rigid pose stays where that is no better, or not plausible."""
    tolerance_mm = LEVELS[-1].tolerance_mm
    affine = pairing.refine(
        rigid.pose, steps=AFFINE_STEPS, tolerance_mm=tolerance_mm, affine=True, interrupt=interrupt
    )
    scales = np.linalg.svd(affine.pose[:3, :3], compute_uv=False)
    plausible = scales.max() < LARGEST_SCALE and scales.min() > 1 / LARGEST_SCALE
    better = affine.correlation > rigid.correlation and affine.overlap > LEAST_KEPT_OVERLAP * rigid.overlap
    return affine if plausible and better else rigid


def resample_to(
    image: sitk.Image,
    reference_grid: sitk.Image,
    transform: sitk.Transform,
    *,
    interpolator: str = "linear",
    default: float = 0.0,
) -> sitk.Image:
    """Bring an image onto another grid.

    Parameters
    ----------
    image
        The image to move; its pixel type stays.
    reference_grid
        Gives the grid.
    transform
        Maps points of the grid's space to the image's space: the transform of `register` brings the
        baseline onto the follow-up's grid.
    interpolator
        "linear", "cubic" (B-spline) or "nearest" (for masks).
    default
        Value outside the image.
    """
    if interpolator not in INTERPOLATORS:
        raise UnknownName("interpolator", interpolator, INTERPOLATORS)
    return sitk.Resample(
        image, reference_grid, transform, INTERPOLATORS[interpolator], default, image.GetPixelID()
    )
