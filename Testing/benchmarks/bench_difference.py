"""Quality and cost of the difference on the two public pairs, the plain difference of z-scores beside it.

"common space" uses the published transforms (there the figures to reach were measured); "own grid" is the
product's own path: the follow-up's grid, through the product's registration.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk
from sklearn.metrics import average_precision_score

from longitudinal_al.imaging.difference import difference_score, differences
from longitudinal_al.imaging.foreground import compute_foreground
from longitudinal_al.imaging.reading import read_mask, read_scan, read_transform
from longitudinal_al.imaging.registration import register, resample_to

DATA = Path(
    os.environ.get("LONGITUDINALAL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data" / "open_ms")
)
TO_REACH = {"01": (0.88, 0.37, 0.58), "03": (0.90, 0.26, 0.28)}
"""Average precision, share of the change in the first 8 % of the slices, best-threshold Dice."""
FIRST = 0.08


class Case(NamedTuple):
    """Two scans on one grid, the reference of change, and the given brain mask."""

    name: str
    baseline: sitk.Image
    followup: sitk.Image
    reference: sitk.Image
    brain: sitk.Image


def figures(found: sitk.Image, reference: np.ndarray, foreground: np.ndarray) -> tuple[float, float, float]:
    """Return average precision, share of change first, and best Dice; arrays (slices, rows, columns)."""
    difference, pixel_mm2 = sitk.GetArrayFromImage(found), float(np.prod(found.GetSpacing()[:2]))
    candidates = np.flatnonzero(foreground.any(axis=(1, 2)))
    scores = np.array([difference_score(difference[index], pixel_mm2=pixel_mm2) for index in candidates])
    change = reference[candidates].sum(axis=(1, 2))
    first = np.argsort(-scores, kind="stable")[: round(FIRST * len(candidates))]
    precision = average_precision_score(change > 0, scores)
    return (
        float(precision),
        float(change[first].sum() / reference.sum()),
        best_dice(np.abs(difference), reference),
    )


def best_dice(strength: np.ndarray, reference: np.ndarray) -> float:
    """Return the Dice of the threshold that suits the reference best."""
    order = np.argsort(-strength[strength > 0], kind="stable")
    hits = np.cumsum(reference[strength > 0][order])
    return float((2 * hits / (np.arange(1, hits.size + 1) + reference.sum())).max())


def common_space(patient: str) -> Case:
    """Bring both scans into the published common space."""
    folder = DATA / f"patient{patient}"
    reference, brain = read_mask(folder / "gt.nii.gz"), read_mask(folder / "brainmask.nii.gz")
    scans = [
        resample_to(
            read_scan(folder / f"study{study}_FLAIR.nii.gz"),
            reference,
            read_transform(folder / f"study{study}_FLAIR_to_common_space.txt"),
        )
        for study in (1, 2)
    ]
    return Case(f"{patient} common space", scans[0], scans[1], reference, brain)


def own_grid(patient: str, first: int = 1) -> Case:
    """Register as the product does; carry the masks onto the follow-up's grid (study 2, or 1 if swapped)."""
    folder = DATA / f"patient{patient}"
    second = 3 - first
    baseline, followup = (read_scan(folder / f"study{study}_FLAIR.nii.gz") for study in (first, second))
    moved = resample_to(baseline, followup, register(baseline, followup).transform, interpolator="linear")
    to_common = read_transform(folder / f"study{second}_FLAIR_to_common_space.txt").GetInverse()
    masks = [
        resample_to(read_mask(folder / name), followup, to_common, interpolator="nearest")
        for name in ("gt.nii.gz", "brainmask.nii.gz")
    ]
    return Case(f"{patient} own grid{', swapped' if first == 2 else ''}", moved, followup, masks[0], masks[1])


def cases() -> Iterator[Case]:
    """Yield each pair in the common space, as the product sees it, and with the times swapped."""
    for patient in TO_REACH:
        yield common_space(patient)
        yield own_grid(patient)
        yield own_grid(patient, first=2)


def row(label: str, values: tuple[float, float, float], wanted: tuple[float, float, float] | None) -> None:
    """Print one line; `ok` needs every figure (rounded as the figures to reach are)."""
    verdict = ""
    if wanted is not None:
        verdict = "ok" if all(round(v, 2) >= w for v, w in zip(values, wanted, strict=True)) else "MISSED"
    print(f"{label:52s} " + " ".join(f"{value:6.3f}" for value in values) + f"  {verdict}", flush=True)


def measure(case: Case) -> None:
    """Print one pair: both kinds with the given mask, and the robust one with other foregrounds."""
    reference, brain = (sitk.GetArrayFromImage(image) > 0 for image in (case.reference, case.brain))
    wanted = None if "swapped" in case.name else TO_REACH[case.name[:2]]
    start = time.perf_counter()
    by_kind = differences(case.baseline, case.followup, case.brain)
    seconds = time.perf_counter() - start
    for kind, image in by_kind.items():
        row(
            f"{case.name}: {kind}",
            figures(image, reference, brain),
            wanted if kind == "robust" else None,
        )
    start = time.perf_counter()
    computed = compute_foreground(case.followup, case.baseline)
    seconds_foreground = time.perf_counter() - start
    whole = sitk.Cast(case.followup > 0, sitk.sitkUInt8)
    for name, mask in (("computed", computed), ("none", whole)):
        image = differences(case.baseline, case.followup, mask, kinds=("robust",))["robust"]
        inside = sitk.GetArrayFromImage(mask) > 0
        row(
            f"{case.name}: robust, {name} foreground",
            figures(image, reference, inside),
            None,
        )
    found = sitk.GetArrayFromImage(computed) > 0
    overlap = 2 * (found & brain).sum() / (found.sum() + brain.sum())
    kept = reference[found].sum() / reference.sum()
    print(f"  foreground: Dice with the brain mask {overlap:.3f}, change inside {kept:.3f}")
    print(f"  seconds: differences {seconds:.1f}, foreground {seconds_foreground:.1f}")


def main() -> None:
    """Print the table."""
    print(f"{'':52s}     AP  first   Dice")
    for case in cases():
        measure(case)


if __name__ == "__main__":
    main()
