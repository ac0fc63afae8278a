"""What the registration's tests share: the real pairs with their published transforms, read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.imaging.poses import apply_pose, pose_of_transform
from longitudinal_al.imaging.reading import read_mask, read_scan, read_transform


@dataclass(frozen=True)
class RealPair:
    """Two scans, and the points of the brain as the published transforms place them in both."""

    baseline: sitk.Image
    followup: sitk.Image
    in_baseline: np.ndarray
    in_followup: np.ndarray

    def error_mm(self, transform: sitk.Transform) -> float:
        """Return the mean error in the brain against the published transforms."""
        return self.error_of_moved_mm(transform, np.eye(4))

    def error_of_moved_mm(self, transform: sitk.Transform, move: np.ndarray) -> float:
        """Return the same for a follow-up whose header was moved by the pose `move`."""
        found = apply_pose(pose_of_transform(transform), apply_pose(move, self.in_followup))
        return float(np.linalg.norm(found - self.in_baseline, axis=1).mean())


@pytest.fixture(scope="session")
def real_pair(open_ms: Path) -> Callable[[str], RealPair]:
    """Return a function that reads a patient's pair, once."""

    @cache
    def read(patient: str) -> RealPair:
        folder = open_ms / f"patient{patient}"
        brain = read_mask(folder / "brainmask.nii.gz")
        steps = np.array(brain.GetDirection()).reshape(3, 3) * np.array(brain.GetSpacing())
        voxels = np.argwhere(sitk.GetArrayViewFromImage(brain))[::20, ::-1]
        points = voxels @ steps.T + np.array(brain.GetOrigin())
        placed = [
            apply_pose(
                pose_of_transform(read_transform(folder / f"study{k}_FLAIR_to_common_space.txt")), points
            )
            for k in (1, 2)
        ]
        scans = [read_scan(folder / f"study{k}_FLAIR.nii.gz") for k in (1, 2)]
        return RealPair(scans[0], scans[1], placed[0], placed[1])

    return read


@pytest.fixture(scope="session")
def moved() -> Callable[[sitk.Image, np.ndarray], sitk.Image]:
    """Return a function that moves an image's header by a rigid pose; its voxels stay."""

    def move(image: sitk.Image, pose: np.ndarray) -> sitk.Image:
        copy = sitk.Image(image)
        direction = pose[:3, :3] @ np.array(image.GetDirection()).reshape(3, 3)
        copy.SetDirection(direction.ravel().tolist())
        copy.SetOrigin(apply_pose(pose, np.array([image.GetOrigin()]))[0].tolist())
        return copy

    return move
