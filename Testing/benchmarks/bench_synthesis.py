"""Time, size and figures of a synthetic cohort: quick enough for the demo, no easier than it should be."""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from longitudinal_al.imaging.difference import differences
from longitudinal_al.imaging.foreground import compute_foreground
from longitudinal_al.imaging.reading import read_mask, read_scan, read_transform
from longitudinal_al.imaging.registration import resample_to
from longitudinal_al.synthesis.cohort import synthesize

PATIENTS, SEED = 7, 3
DEMO_PATIENTS, DEMO_SECONDS = 21, 70.0
THRESHOLDS = np.geomspace(1.0, 200.0, 120)


def figures_of(table: Path) -> dict[str, list]:
    """Measure each pair: changes, slices, and the differences' histograms inside and outside the change."""
    found: dict[str, list] = {"components": [], "share": [], "plain": [], "robust": [], "size": []}
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        followup = read_scan(table.parent / row["followup"])
        transform = read_transform(table.parent / row["reference_transform"])
        baseline = resample_to(read_scan(table.parent / row["baseline"]), followup, transform)
        change = sitk.GetArrayFromImage(read_mask(table.parent / row["reference"])) > 0
        foreground = compute_foreground(followup, baseline)
        inside = sitk.GetArrayFromImage(foreground) > 0
        in_brain = inside.sum(axis=(1, 2)) > 0.1 * inside.sum(axis=(1, 2)).max()
        for kind, image in differences(baseline, followup, foreground).items():
            found[kind].append(_histograms(np.abs(sitk.GetArrayFromImage(image)), change, inside))
        if change.any():
            parts, count = ndimage.label(change, np.ones((3, 3, 3)))
            volumes = np.bincount(parts.ravel())[1:] * np.prod(followup.GetSpacing())
            found["components"].append(count)
            found["size"] += list(volumes)
            found["share"].append(change.any(axis=(1, 2)).sum() / in_brain.sum())
    return found


def _histograms(size: np.ndarray, change: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Voxels above each threshold: in the change, elsewhere, and (a constant) all of the change."""
    hits, others = (
        (size[mask].size - np.searchsorted(np.sort(size[mask]), THRESHOLDS))
        for mask in (change, inside & ~change)
    )
    return np.stack([hits, others, np.full(len(THRESHOLDS), change.sum())])


def best_threshold(histograms: list[np.ndarray]) -> float:
    """Voxel Dice of the best threshold, pooled over the patients."""
    hits, others, change = np.sum(histograms, axis=0)
    return float((2 * hits / (hits + others + change)).max())


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        started, cpu = time.perf_counter(), time.process_time()
        table = synthesize(Path(folder) / "cohort", PATIENTS, SEED)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        megabytes = sum(file.stat().st_size for file in table.parent.rglob("*.nii.gz")) / PATIENTS / 1e6
        found = figures_of(table)
    demo = seconds * DEMO_PATIENTS / PATIENTS
    lines = [
        (f"{DEMO_PATIENTS} patients would take (s, from {PATIENTS})", demo, demo <= DEMO_SECONDS),
        ("processor seconds a patient", cpu / PATIENTS, cpu / PATIENTS <= 2 * DEMO_SECONDS / DEMO_PATIENTS),
        ("megabytes a patient", megabytes, megabytes <= 12),
        ("changes a changed patient, median", float(np.median(found["components"])), None),
        ("volume of a change, median mm3", float(np.median(found["size"])), None),
        ("share of brain slices with change, median", float(np.median(found["share"])), None),
    ]
    for kind in ("plain", "robust"):
        dice = best_threshold(found[kind])
        lines.append((f"best threshold on the {kind} difference, Dice", dice, dice <= 0.45))
    for name, value, reached in lines:
        print(f"{name:<55} {value:8.2f}  {'' if reached is None else 'ok' if reached else 'MISSED'}")


if __name__ == "__main__":
    main()
