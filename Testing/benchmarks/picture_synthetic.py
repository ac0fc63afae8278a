"""Draw slices of synthetic pairs beside slices of the two public pairs, the change outlined."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import SimpleITK as sitk

from longitudinal_al.imaging.reading import read_mask, read_scan, read_transform
from longitudinal_al.imaging.registration import resample_to
from longitudinal_al.synthesis.cohort import synthesize

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("LONGITUDINALAL_DATA", ROOT.parent / "shared" / "data" / "open_ms"))
PICTURE = ROOT / "docs" / "pictures" / "synthetic-beside-real.png"
HEIGHTS_MM = (-38.0, -12.0, 10.0, 30.0)  # of the slices, from the middle of the head's height
EXTENT_MM = (176.0, 216.0)

Slices = tuple[sitk.Image, sitk.Image, sitk.Image]


def real_pair(patient: str) -> Slices:
    """Baseline, follow-up and change of a public pair, all on the grid of the change mask."""
    folder = DATA / patient
    reference = read_mask(folder / "gt.nii.gz")
    scans = []
    for study in ("study1", "study2"):
        scan = read_scan(folder / f"{study}_FLAIR.nii.gz")
        transform = read_transform(folder / f"{study}_FLAIR_to_common_space.txt")
        scans.append(resample_to(scan, reference, transform))
    return scans[0], scans[1], reference


def synthetic_pair(folder: Path) -> Slices:
    """Baseline, follow-up and change of a synthetic pair, all on the follow-up's grid."""
    followup = read_scan(folder / "followup.nii.gz")
    transform = read_transform(folder / "true_transform.tfm")
    baseline = resample_to(read_scan(folder / "baseline.nii.gz"), followup, transform)
    return baseline, followup, read_mask(folder / "reference.nii.gz")


def draw(pairs: dict[str, Slices], path: Path) -> None:
    """Draw each pair as two rows: baseline, and follow-up with the change outlined."""
    rows = 2 * len(pairs)
    figure, axes = plt.subplots(rows, len(HEIGHTS_MM), figsize=(2.0 * len(HEIGHTS_MM), 2.42 * rows))
    for k, (name, (baseline, followup, reference)) in enumerate(pairs.items()):
        change = sitk.GetArrayFromImage(reference)
        for row, (visit, image) in enumerate((("baseline", baseline), ("follow-up", followup))):
            array = sitk.GetArrayFromImage(image)
            for axis, index in zip(axes[2 * k + row], _slices(array, image), strict=True):
                window = _window(array[index], image)
                axis.imshow(window, cmap="gray", vmin=0, vmax=np.percentile(array, 99.6))
                outline = _window(change[index], reference)
                if row == 1 and outline.any():
                    axis.contour(outline, [0.5], colors="#ff5533", linewidths=0.6)
                axis.set_axis_off()
            axes[2 * k + row, 0].set_title(f"{name}, {visit}", fontsize=8, loc="left")
    figure.tight_layout(pad=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, facecolor="white")
    plt.close(figure)


def _slices(array: np.ndarray, image: sitk.Image) -> list[int]:
    """Slices at fixed heights under the top of the head, which is where scans agree."""
    filled = np.flatnonzero((array > 0.3 * np.percentile(array, 97)).mean(axis=(1, 2)) > 0.01)
    middle = filled[-1] - 72 / image.GetSpacing()[2]
    return [int(np.clip(round(middle + mm / image.GetSpacing()[2]), 0, len(array) - 1)) for mm in HEIGHTS_MM]


def _window(plane: np.ndarray, image: sitk.Image) -> np.ndarray:
    """Cut or pad a slice to one extent in mm around the head, so that all are drawn to one scale."""
    columns, rows = (round(mm / s) for mm, s in zip(EXTENT_MM, image.GetSpacing(), strict=False))
    padded = np.pad(plane, ((rows // 2,) * 2, (columns // 2,) * 2))
    middle = np.array(plane.shape) // 2
    return padded[middle[0] : middle[0] + rows, middle[1] : middle[1] + columns]


def main() -> None:
    """Write the picture (or to the path given as the first argument), with three synthetic patients."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    with tempfile.TemporaryDirectory() as folder:
        table = synthesize(Path(folder) / "cohort", 2, 0)
        pairs = {"public 01": real_pair("patient01"), "public 03": real_pair("patient03")}
        for number in (1, 2):
            pairs[f"synthetic {number}"] = synthetic_pair(table.parent / f"synthetic{number:03d}")
        draw(pairs, path)
    print(path)


if __name__ == "__main__":
    main()
