"""The grid of a pair, on which its labels are drawn, and the check that something else lies on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import vtk

from longitudinal_al.errors import GeometryMismatch, InvalidInput

TOLERANCE = 0.01
"""So many voxels may two grids differ at their corners: what files and text round off."""


@dataclass(frozen=True)
class Grid:
    """Voxels of a pair and the axis across which its slices lie.

    Attributes
    ----------
    shape : tuple of int
        Voxels in array order (z, y, x), that is (k, j, i).
    ijkToRas : numpy.ndarray
        (4, 4), of the volume itself, without a transform above it.
    axis : int
        Array axis across which the slices lie: 0 = z, 1 = y, 2 = x.
    """

    shape: tuple[int, int, int]
    ijkToRas: np.ndarray
    axis: int

    def __post_init__(self) -> None:
        if self.axis not in (0, 1, 2):
            raise InvalidInput(f"a slice axis is 0 (z), 1 (y) or 2 (x), not {self.axis}")

    @property
    def slices(self) -> int:
        """Number of slices."""
        return self.shape[self.axis]

    @property
    def sliceShape(self) -> tuple[int, int]:
        """(rows, columns) of a slice."""
        rows, columns = (size for axis, size in enumerate(self.shape) if axis != self.axis)
        return rows, columns

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres between voxels along (z, y, x)."""
        x, y, z = np.linalg.norm(self.ijkToRas[:3, :3], axis=0)
        return float(z), float(y), float(x)

    def checkSlice(self, k: int) -> None:
        """Raise `InvalidInput` if there is no slice `k`."""
        if not 0 <= k < self.slices:
            raise InvalidInput(f"there is no slice {k}: the pair has slices 0 to {self.slices - 1}")

    def extent(self, k: int) -> list[int]:
        """Return VTK's extent (i, i, j, j, k, k) of slice `k`."""
        bounds = [[0, size - 1] for size in self.shape]
        bounds[self.axis] = [k, k]
        return [*bounds[2], *bounds[1], *bounds[0]]

    def centre(self, k: float) -> np.ndarray:
        """Return the centre of slice `k` in mm RAS, (3,)."""
        middle = [(size - 1) / 2 for size in self.shape]
        middle[self.axis] = k
        return (self.ijkToRas @ [middle[2], middle[1], middle[0], 1.0])[:3]

    def sliceAt(self, ras: np.ndarray) -> int | None:
        """Return the slice nearest to a point in mm RAS, `None` where it lies outside."""
        k = int(np.rint((np.linalg.inv(self.ijkToRas) @ [*ras, 1.0])[2 - self.axis]))
        return k if 0 <= k < self.slices else None

    def normal(self) -> np.ndarray:
        """Return the unit vector from slice to slice in RAS, (3,)."""
        across = self.ijkToRas[:3, 2 - self.axis]
        return across / np.linalg.norm(across)

    def offsetOf(self, imageToWorld: np.ndarray, what: str) -> tuple[int, int, int]:
        """Return where another image's voxel (0, 0, 0) lies on this grid, as whole numbers (z, y, x).

        Parameters
        ----------
        imageToWorld : numpy.ndarray
            (4, 4) of the other image.
        what : str
            What it is, for the message.

        Raises
        ------
        GeometryMismatch
            When its voxels are not those of this grid: other spacing, direction, or between the voxels.
        """
        between = np.linalg.inv(self.ijkToRas) @ imageToWorld
        reach = np.abs(between[:3, :3] - np.eye(3)) @ np.array(self.shape[::-1], float)
        offset = np.rint(between[:3, 3])
        if max(reach.max(), np.abs(between[:3, 3] - offset).max()) > TOLERANCE:
            raise GeometryMismatch(f"{what} {_difference(between)}: {REMEDY}")
        i, j, k = (int(value) for value in offset)
        return k, j, i

    def checkSame(self, shape: tuple[int, ...], imageToWorld: np.ndarray, what: str) -> None:
        """Raise `GeometryMismatch` unless an image has exactly the voxels of this grid."""
        if tuple(shape) != self.shape:
            raise GeometryMismatch(
                f"{what} has {tuple(shape)} voxels, the pair's grid {self.shape} (slices, rows, columns): "
                f"{REMEDY}"
            )
        if self.offsetOf(imageToWorld, what) != (0, 0, 0):
            raise GeometryMismatch(f"{what} is shifted against the pair's grid: {REMEDY}")


REMEDY = "labels are kept on the pair's own grid only; close the pair and open it again to draw on it"


def matrixOf(vtkMatrix: Any) -> np.ndarray:
    """Return a vtkMatrix4x4 as an array (4, 4)."""
    return np.array([[vtkMatrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def vtkMatrixOf(matrix: np.ndarray) -> Any:
    """Return an array (4, 4) as a vtkMatrix4x4."""
    made = vtk.vtkMatrix4x4()
    made.DeepCopy(np.asarray(matrix, float).ravel().tolist())
    return made


def _difference(between: np.ndarray) -> str:
    """Say in words how another grid differs."""
    scale = np.linalg.norm(between[:3, :3], axis=0)
    if np.abs(scale - 1).max() > 1e-3:
        finer = ", ".join(f"{value:.3g}" for value in scale)
        return f"has voxels of another size ({finer} times those of the pair; oversampling must be 1)"
    if np.abs(between[:3, :3] - np.eye(3)).max() > 1e-3:
        return "is turned against the pair's grid"
    return "lies between the voxels of the pair's grid"
