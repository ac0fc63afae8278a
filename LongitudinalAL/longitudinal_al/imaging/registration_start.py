"""Find roughly where the follow-up lies in the baseline, from tens of millimetres and degrees away."""

from __future__ import annotations

from itertools import product

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from longitudinal_al.imaging.alignment import Alignment, Pairing
from longitudinal_al.imaging.poses import apply_pose, pose_about, rotation
from longitudinal_al.imaging.registration_volume import Volume, drawn_points, head_mask, reduced, smoothed
from longitudinal_al.interruption import Interrupt, never

RESOLUTION_MM = 8.0
BLUR_MM = 6.0
TURNS = np.deg2rad([-25.0, 0.0, 25.0])
SHIFTS_MM = (-40.0, -20.0, 0.0, 20.0, 40.0)
SEARCH_POINTS = 500
REFINE_POINTS = 1500
REFINED = 24
KEPT = 3
DISTINCT_MM = 8.0
ENOUGH_OVERLAP = 0.4


def find_starts(
    baseline: sitk.Image,
    followup: sitk.Image,
    generator: np.random.Generator,
    interrupt: Interrupt = never,
) -> list[Alignment]:
    """Search poses on coarse, blurred scans; return the few best ones, best first.

    Heads are laid centre on centre; from there 27 turns of up to 25 degrees about each axis, with shifts of
    up to 40 mm (a scan that covers half of the head has its centre elsewhere), are compared by the
    correlation of the blurred scans, and the best are refined. `interrupt` is called between the steps.
    """
    coarse = [_coarse(image) for image in (baseline, followup)]
    heads = [head_mask(volume).values for volume in coarse]
    volumes = [_compressed(volume, head) for volume, head in zip(coarse, heads, strict=True)]
    around = ndimage.binary_dilation(heads[1], iterations=2)
    centres = [
        volume.points_of(np.argwhere(head)).mean(0) for volume, head in zip(volumes, heads, strict=True)
    ]
    pairing = Pairing(volumes[0], volumes[1], drawn_points(around, SEARCH_POINTS, generator))
    candidates = _search(pairing, centres, interrupt)
    pairing = Pairing(volumes[0], volumes[1], drawn_points(around, REFINE_POINTS, generator))
    refined = [pairing.refine(pose, steps=15, tolerance_mm=0.5, interrupt=interrupt) for pose in candidates]
    return _distinct(sorted(refined, key=_merit_of, reverse=True), centres[1])[:KEPT]


def _coarse(image: sitk.Image) -> Volume:
    return smoothed(reduced(image, RESOLUTION_MM), BLUR_MM)


def _compressed(volume: Volume, head: np.ndarray) -> Volume:
    """Scale to the head's median and compress what is brighter, so that fat does not decide."""
    middle = float(np.median(volume.values[head]))
    low = float(np.percentile(volume.values, 1))
    return volume.with_values(np.tanh((volume.values - low) / max(middle - low, 1e-6)))


def _search(pairing: Pairing, centres: list[np.ndarray], interrupt: Interrupt) -> list[np.ndarray]:
    """Measure every turn and shift; return the poses of the most promising ones."""
    shifts = np.array(list(product(SHIFTS_MM, repeat=3)))
    poses, merits = [], []
    for x, y, z in product(TURNS, repeat=3):
        interrupt()
        turn = rotation(np.array([0, 0, z])) @ rotation(np.array([0, y, 0])) @ rotation(np.array([x, 0, 0]))
        centred = pose_about(turn, centres[1], centres[0])
        merits.append(_merit(*pairing.measure_shifted(centred, shifts)))
        poses += [pose_about(turn, centres[1], centres[0] + shift) for shift in shifts]
    return [poses[k] for k in np.argsort(-np.concatenate(merits), kind="stable")[:REFINED]]


def _merit(correlation: np.ndarray, overlap: np.ndarray) -> np.ndarray:
    """Correlation, discounted where only a corner of the follow-up's head meets the baseline."""
    return correlation * np.minimum(1.0, overlap / ENOUGH_OVERLAP) ** 0.5


def _merit_of(alignment: Alignment) -> float:
    return float(_merit(np.array(alignment.correlation), np.array(alignment.overlap)))


def _distinct(alignments: list[Alignment], centre: np.ndarray) -> list[Alignment]:
    """Leave out poses that do nearly the same to the head as a better one."""
    corners = centre + 80.0 * np.concatenate([np.eye(3), -np.eye(3)])
    kept: list[Alignment] = []
    for one in alignments:
        moved = apply_pose(one.pose, corners)
        distances = [np.linalg.norm(moved - apply_pose(other.pose, corners), axis=1).max() for other in kept]
        if min(distances, default=np.inf) > DISTINCT_MM:
            kept.append(one)
    return kept
