"""Refine a pose by robust least squares (Gauss-Newton) on two volumes that were normalised alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from longitudinal_al.imaging.poses import apply_pose, pose_about, rotation, turned
from longitudinal_al.imaging.registration_volume import Volume
from longitudinal_al.interruption import Interrupt, never

HEAD_RADIUS_MM = 80.0
LARGEST_STEP_MM = 12.0
LEAST_OVERLAP = 0.1
TUKEY = 4.685  # Tukey's biweight keeps 95 % efficiency under normal noise
ROBUST_SIGMA = 1.4826


@dataclass(frozen=True)
class Alignment:
    """A pose and how well the two volumes agree there."""

    pose: np.ndarray
    correlation: float
    overlap: float  # share of the follow-up's points that fall inside the baseline scan


class Pairing:
    """A baseline volume, and points of a follow-up volume to be found in it.

    Parameters
    ----------
    baseline, followup
        Volumes normalised alike.
    indices
        Voxels (n, 3) of the follow-up to compare, in the order slice, row, column.
    """

    def __init__(self, baseline: Volume, followup: Volume, indices: np.ndarray) -> None:
        self.baseline = baseline
        self.points = followup.points_of(indices)
        self.values = followup.values[tuple(indices.T)].astype(np.float64)
        self.centre = self.points.mean(axis=0)
        slopes = np.gradient(baseline.values)
        self._slopes = [baseline.with_values(slopes[axis]) for axis in (2, 1, 0)]
        self._to_mm = np.linalg.inv(baseline.steps)

    def measure(self, pose: np.ndarray) -> Alignment:
        """Return the correlation of both volumes at a pose, over the points inside the baseline."""
        there = self.baseline.sample(self.baseline.indices_of(apply_pose(pose, self.points)))
        inside = np.isfinite(there)
        return Alignment(pose, correlation(there[inside], self.values[inside]), float(inside.mean()))

    def measure_shifted(self, pose: np.ndarray, shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Measure a pose with each of many shifts (k, 3) in mm: correlations and overlaps, (k,) each."""
        indices = self.baseline.indices_of(apply_pose(pose, self.points))
        moves = (shifts @ self._to_mm.T)[:, ::-1].T
        there = self.baseline.sample(indices[:, None, :] + moves[:, :, None])
        inside = np.isfinite(there)
        count = np.maximum(inside.sum(1), 1)
        there = np.where(inside, there, 0.0)
        there -= inside * (there.sum(1) / count)[:, None]
        here = inside * (self.values - (inside @ self.values / count)[:, None])
        norm = np.sqrt((there**2).sum(1) * (here**2).sum(1))
        return (there * here).sum(1) / np.maximum(norm, 1e-12), inside.mean(1)

    def refine(
        self,
        pose: np.ndarray,
        *,
        steps: int,
        tolerance_mm: float,
        affine: bool = False,
        interrupt: Interrupt = never,
    ) -> Alignment:
        """Move a pose to the nearest optimum; the best pose on the way is returned.

        Parameters
        ----------
        pose
            Where to start.
        steps
            At most so many steps are made.
        tolerance_mm
            A step that moves the head's surface by less than this is the last.
        affine
            Twelve instead of six degrees of freedom.
        interrupt
            Called before every step.
        """
        best = Alignment(pose, -1.0, 0.0)
        for _ in range(steps):
            interrupt()
            moved = apply_pose(pose, self.points)
            indices = self.baseline.indices_of(moved)
            there = self.baseline.sample(indices)
            inside = np.isfinite(there)
            here = Alignment(pose, correlation(there[inside], self.values[inside]), float(inside.mean()))
            if here.overlap < LEAST_OVERLAP:
                break
            best = max(best, here, key=lambda alignment: alignment.correlation)
            along_axes = np.stack([volume.sample(indices[:, inside]) for volume in self._slopes], 1)
            slopes = turned(along_axes, self._to_mm.T)
            centre = apply_pose(pose, self.centre[None])[0]
            step = _step(moved[inside] - centre, slopes, there[inside], self.values[inside], affine)
            pose = pose_about(step[0], centre, centre + step[1]) @ pose
            if _length_mm(*step) < tolerance_mm:
                break
        last = self.measure(pose)
        return last if last.overlap >= LEAST_OVERLAP and last.correlation >= best.correlation else best


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation; 0 where one side is constant or nearly nothing is left."""
    if a.size < 10:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt(_dot(a, a) * _dot(b, b)))
    return _dot(a, b) / norm if norm > 0 else 0.0


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    """Multiply and add up without BLAS's threads, which wait for each other longer than this takes."""
    return float(np.einsum("n,n->", a, b))


def _step(
    arms: np.ndarray, slopes: np.ndarray, there: np.ndarray, here: np.ndarray, affine: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Solve for the small motion (3 x 3 matrix, shift in mm) that removes the residual best."""
    residual, weights = _weighted_residual(there, here)
    if affine:
        turning = (slopes[:, :, None] * arms[:, None, :]).reshape(len(arms), 9)
    else:
        turning = np.cross(arms, slopes)
    jacobian = np.concatenate([turning, slopes], axis=1)
    weighted = jacobian * weights[:, None]
    normal = weighted.T @ jacobian
    normal[np.diag_indices_from(normal)] *= 1 + 1e-6
    solution = -np.linalg.lstsq(normal, weighted.T @ residual, rcond=None)[0]
    if affine:
        return np.eye(3) + solution[:9].reshape(3, 3), solution[9:]
    solution *= min(1.0, LARGEST_STEP_MM / max(_length_mm(rotation(solution[:3]), solution[3:]), 1e-9))
    return rotation(solution[:3]), solution[3:]


def _weighted_residual(there: np.ndarray, here: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit `there` linearly by `here`; give the rest, and Tukey's weights that ignore outliers (change)."""
    centred = here - here.mean()
    gain = _dot(centred, there) / max(_dot(centred, centred), 1e-12)
    residual = there - there.mean() - gain * centred
    scale = ROBUST_SIGMA * float(np.median(np.abs(residual))) + 1e-9
    return residual, np.clip(1 - (residual / (TUKEY * scale)) ** 2, 0, None) ** 2


def _length_mm(linear: np.ndarray, shift: np.ndarray) -> float:
    """How far a small motion takes the head's surface, at most."""
    return float(np.linalg.norm(linear - np.eye(3), 2) * HEAD_RADIUS_MM + np.linalg.norm(shift))
