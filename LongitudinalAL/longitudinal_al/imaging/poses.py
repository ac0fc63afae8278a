"""Poses: 4 x 4 matrices that map points of the follow-up's space to the baseline's, in millimetres."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk


def rotation(vector: np.ndarray) -> np.ndarray:
    """Return the 3 x 3 rotation about `vector` by its length in radians (Rodrigues' formula)."""
    angle = float(np.linalg.norm(vector))
    if angle == 0.0:
        return np.eye(3)
    x, y, z = np.asarray(vector) / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def pose_about(linear: np.ndarray, centre: np.ndarray, image_of_centre: np.ndarray) -> np.ndarray:
    """Return the pose with the 3 x 3 matrix `linear` that takes `centre` to `image_of_centre`."""
    pose = np.eye(4)
    pose[:3, :3] = linear
    pose[:3, 3] = image_of_centre - linear @ centre
    return pose


def apply_pose(pose: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points (n, 3) by a pose."""
    return turned(points, pose[:3, :3]) + pose[:3, 3]


def turned(points: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """Map points (n, 3) by a 3 x 3 matrix.

    A matrix product would wake BLAS's threads for this little work and let them wait for each other: six
    times as long, and far longer on a busy machine.
    """
    return np.einsum("nj,ij->ni", points, linear)


def nearest_rigid(pose: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return the pose without scale and shear that moves `centre` to the same place (polar decomposition)."""
    left, _, right = np.linalg.svd(pose[:3, :3])
    return pose_about(left @ right, centre, apply_pose(pose, centre[None])[0])


def pose_of_transform(transform: sitk.Transform) -> np.ndarray:
    """Return the pose of a transform that is linear (for others: its linear part at the origin)."""
    pose = np.eye(4)
    pose[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    for axis in range(3):
        pose[:3, axis] = np.array(transform.TransformPoint(np.eye(3)[axis].tolist())) - pose[:3, 3]
    return pose


def transform_of_pose(pose: np.ndarray, centre: np.ndarray) -> sitk.AffineTransform:
    """Return the ITK transform of a pose, written about `centre` (which changes the numbers, not the map)."""
    transform = sitk.AffineTransform(3)
    transform.SetCenter(centre.tolist())
    transform.SetMatrix(pose[:3, :3].ravel().tolist())
    transform.SetTranslation((apply_pose(pose, centre[None])[0] - centre).tolist())
    return transform
