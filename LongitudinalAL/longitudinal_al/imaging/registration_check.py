"""Judge a registration: good, look at it, or failed; with figures and one sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from longitudinal_al.imaging.alignment import Alignment, Pairing
from longitudinal_al.imaging.poses import apply_pose, pose_of_transform
from longitudinal_al.imaging.registration_volume import (
    Volume,
    drawn_points,
    head_mask,
    inside_skull,
    locally_normalised,
    reduced,
    smoothed,
)
from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.project.records import Verdict

RESOLUTION_MM = 2.1
BLUR_MM = 1.0
WINDOW_MM = 12.0  # folds of the brain: they differ between people, heads as a whole do not
POINTS = 20_000

FAILED_SIMILARITY = 0.45
GOOD_SIMILARITY = 0.7
SAME_SCAN_SIMILARITY = 0.99
FAILED_OVERLAP = 0.2
GOOD_OVERLAP = 0.7
FAILED_OFFSET_MM = 2.5
GOOD_OFFSET_MM = 1.0


@dataclass(frozen=True)
class RegistrationCheck:
    """What the check found.

    Attributes
    ----------
    verdict
        Whether the pair can be used.
    similarity
        How well the folds of the brain agree, 0 (not at all) to 1 (the same picture).
    overlap
        Share of the head that both scans cover, 0 to 1: the smaller share of the two heads.
    reason
        One sentence for the user.
    figures
        The numbers behind the verdict: `similarity`, `overlap`, `offset_mm` (how far the best alignment
        nearby lies), `best_similarity` (there), `baseline_covers` and `followup_covers` (shares of the
        other scan's head).
    """

    verdict: Verdict
    similarity: float
    overlap: float
    reason: str
    figures: dict[str, float]


def check_registration(
    baseline: sitk.Image, followup: sitk.Image, transform: sitk.Transform
) -> RegistrationCheck:
    """Check that `transform`, from the follow-up's points to the baseline's, brings both heads together.

    The scans are compared inside the skull, after removing local brightness and contrast, at the scale of
    the brain's folds: there even well aligned scans of two people have little in common. Then the
    transform is refined: when that moves the head, the transform was off.
    """
    return check_pose(reduced_scans(baseline, followup), pose_of_transform(transform))


def reduced_scans(baseline: sitk.Image, followup: sitk.Image) -> tuple[Volume, Volume]:
    """Return what the check looks at, apart from the images: another thread may go on with those."""
    return reduced(baseline, RESOLUTION_MM), reduced(followup, RESOLUTION_MM)


def check_pose(
    plain: tuple[Volume, Volume], pose: np.ndarray, interrupt: Interrupt = never
) -> RegistrationCheck:
    """Check a pose (4 x 4, from the follow-up's points to the baseline's) on scans that were reduced.

    `interrupt` is called between the steps.
    """
    heads = [head_mask(volume) for volume in plain]
    interrupt()
    followup_in_baseline = _covered(heads[1], plain[0], pose)
    baseline_in_followup = _covered(heads[0], plain[1], np.linalg.inv(pose))
    interrupt()
    volumes = []
    for volume in plain:
        volumes.append(locally_normalised(smoothed(volume, BLUR_MM), WINDOW_MM))
        interrupt()
    indices = drawn_points(inside_skull(heads[1]).values, POINTS, np.random.default_rng(0))
    pairing = Pairing(volumes[0], volumes[1], indices)
    here = pairing.measure(pose)
    best = pairing.refine(pose, steps=12, tolerance_mm=0.2, interrupt=interrupt)
    figures = {
        "similarity": float(np.clip(here.correlation, 0.0, 1.0)),
        "overlap": min(followup_in_baseline, baseline_in_followup),
        "offset_mm": _offset_mm(pairing, here, best),
        "best_similarity": float(np.clip(max(here.correlation, best.correlation), 0.0, 1.0)),
        "baseline_covers": followup_in_baseline,
        "followup_covers": baseline_in_followup,
    }
    verdict, reason = _judge(figures)
    return RegistrationCheck(verdict, figures["similarity"], figures["overlap"], reason, figures)


def _covered(head: Volume, other: Volume, pose: np.ndarray) -> float:
    """Return the share of a head that lies inside the other scan."""
    points = head.points_of(np.argwhere(head.values)[::7])
    indices = other.indices_of(apply_pose(pose, points))
    limits = np.array(other.values.shape)[:, None] - 0.5
    return float(np.all((indices >= -0.5) & (indices <= limits), axis=0).mean())


def _offset_mm(pairing: Pairing, here: Alignment, best: Alignment) -> float:
    """How far, on average in the brain, the best alignment nearby lies from the given one."""
    if best.correlation <= here.correlation:
        return 0.0
    moved = apply_pose(best.pose, pairing.points) - apply_pose(here.pose, pairing.points)
    return float(np.linalg.norm(moved, axis=1).mean())


def _judge(figures: dict[str, float]) -> tuple[Verdict, str]:
    similarity, offset = figures["similarity"], figures["offset_mm"]
    covers = min(figures["baseline_covers"], figures["followup_covers"])
    which = "follow-up" if figures["followup_covers"] <= figures["baseline_covers"] else "baseline"
    if covers < FAILED_OVERLAP:
        return (
            Verdict.FAILED,
            f"the two scans hardly overlap: the {which} covers only {covers:.0%} of the head",
        )
    if offset > FAILED_OFFSET_MM and figures["best_similarity"] >= FAILED_SIMILARITY:
        return Verdict.FAILED, f"the transform is off by about {offset:.0f} mm: register again"
    if similarity < FAILED_SIMILARITY:
        return Verdict.FAILED, (
            f"the brains do not match (similarity {similarity:.2f}, expected over {GOOD_SIMILARITY}): "
            "two different patients? If not, the transform is wrong"
        )
    if similarity > SAME_SCAN_SIMILARITY:
        return Verdict.LOOK, "this looks like the same scan twice: check the table for a mix-up"
    if covers < GOOD_OVERLAP:
        return (
            Verdict.LOOK,
            f"the {which} covers only {covers:.0%} of the head; changes elsewhere stay unseen",
        )
    if similarity < GOOD_SIMILARITY or offset > GOOD_OFFSET_MM:
        return Verdict.LOOK, (
            f"the brains match only in part (similarity {similarity:.2f}; {_moved(offset)}): "
            "look at both scans before you trust their difference"
        )
    return Verdict.GOOD, f"the brains match (similarity {similarity:.2f}; {_moved(offset)})"


def _moved(offset_mm: float) -> str:
    """Say how far another search moved the registration, which is not how accurate it is."""
    if offset_mm < 0.05:
        return "searching again moved it by less than 0.1 mm"
    return f"searching again moved it by {offset_mm:.1f} mm"
