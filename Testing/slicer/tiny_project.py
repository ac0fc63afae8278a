"""Makes a tiny prepared and ranked project of two patients: `tiny_project.py FOLDER`, in the engine's Python.

FOLDER gets `cohort/pairs.csv` with its scans, and `project`. No torch: the ranking is by difference.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter

from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.preparation import prepare_project
from longitudinal_al.project.ranking_file import write_ranking
from longitudinal_al.project.store import Project
from longitudinal_al.project.table import read_pairs_table

SHAPE = (24, 80, 72)
SPACING = (2.0, 2.0, 4.0)
BATCH = 20


def head(seed: int, isFollowup: bool) -> np.ndarray:
    """Return a textured head with bright balls in it, one of which is there at follow-up only."""
    generator = np.random.default_rng(seed)
    z, y, x = np.mgrid[tuple(slice(n) for n in SHAPE)].astype(np.float32)
    radius = np.sqrt(((z - 12) / 11) ** 2 + ((y - 40) / 36) ** 2 + ((x - 36) / 31) ** 2)
    texture = gaussian_filter(generator.standard_normal(SHAPE), (1.5, 3, 3))
    voxels = np.where(radius < 1, 100 + 25 * texture / texture.std(), 0)
    voxels = np.where((radius > 0.88) & (radius < 1), 35, voxels)
    for isNew in (False, False, True):
        k, row, column = np.array([12, 40, 36]) + np.array([5, 18, 15]) * generator.uniform(-1, 1, 3)
        ball = ((z - k) / 1.6) ** 2 + ((y - row) / 4) ** 2 + ((x - column) / 4) ** 2 < 1
        if isFollowup or not isNew:
            voxels = np.where(ball, 190.0, voxels)
    noise = np.random.default_rng([seed, isFollowup]).standard_normal(SHAPE)
    return (voxels + 3 * noise).astype(np.float32)


def writeScan(path: Path, seed: int, isFollowup: bool) -> None:
    """Write a scan; the follow-up's head is turned and shifted."""
    image = sitk.GetImageFromArray(head(seed, isFollowup))
    image.SetSpacing(SPACING)
    image.SetOrigin((-72.0, -80.0, -48.0))
    if isFollowup:
        turn = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.02, -0.03, 0.05, (3.0, -4.0, 2.0))
        image = sitk.Resample(image, image, turn, sitk.sitkBSpline, 0.0)
    sitk.WriteImage(image, str(path))


def writeCohort(folder: Path) -> Path:
    """Write two patients and the table that names them."""
    folder.mkdir(parents=True)
    lines = ["pair,patient,baseline,followup"]
    for number in (1, 2):
        names = [f"p{number}-{time}.nii.gz" for time in ("baseline", "followup")]
        for name, isFollowup in zip(names, (False, True), strict=True):
            writeScan(folder / name, number, isFollowup)
        lines.append(f"synth{number},patient {number},{names[0]},{names[1]}")
    (folder / "pairs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "pairs.csv"


def rankByDifference(project: Project) -> None:
    """Write a ranking of the slice pairs with the largest difference, as the worker's first one."""
    entries = sorted(Pool.open(project).entries, key=lambda entry: -entry.difference_score)[:BATCH]
    write_ranking(
        project.folder,
        "difference",
        0,
        [
            {
                "pair": entry.pair,
                "patient": entry.patient,
                "slice": entry.slice,
                "score": entry.difference_score,
                "reason": "One of the largest differences.",
            }
            for entry in entries
        ],
    )


def make(folder: Path) -> None:
    """Make cohort and project."""
    table = writeCohort(folder / "cohort")
    with Project.create(folder / "project") as project:
        project.add_pairs(read_pairs_table(table))
        failures = prepare_project(project)
        assert not failures, failures
        rankByDifference(project)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
