"""The voxels of one segment, slice by slice, on a pair's grid: read and changed in place."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from longitudinal_al.errors import GeometryMismatch
from LongitudinalALLib.SceneGrid import Grid, matrixOf, vtkMatrixOf

BINARY = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()


class Labelmap:
    """The labelmap of a segment; others may share it, each with its own value.

    Contract: Slicer `Libs/vtkSegmentationCore/vtkSegment.h` (GetRepresentation, GetLabelValue). A labelmap
    reaches as far as something was painted; outside it is empty.

    Parameters
    ----------
    segment : vtkSegment
    grid : Grid
    """

    def __init__(self, segment: Any, grid: Grid) -> None:
        self._segment = segment
        self._grid = grid

    def check(self, what: str) -> None:
        """Raise `GeometryMismatch` unless its voxels are voxels of the grid; `what` is for the message."""
        self._offset(what)

    def plane(self, k: int) -> np.ndarray | None:
        """Return where slice `k` is painted, boolean (rows, columns); `None` for nowhere.

        Raises
        ------
        GeometryMismatch
            When something is painted beyond the edge of the grid.
        """
        found = self._inPlace(k)
        if found is None:
            return None
        plane, low = found
        painted = plane == self._segment.GetLabelValue()
        return _placed(painted, self._across(low), self._grid.sliceShape)

    def checksum(self, k: int) -> int:
        """Return a number that changes with what is painted on slice `k`, 0 for nothing."""
        found = self._inPlace(k)
        return 0 if found is None else self._sum(*found)

    def checksums(self) -> dict[int, int]:
        """Return slice -> checksum, of the slices on which something is painted."""
        found = self._block()
        if found is None:
            return {}
        block, low = found
        axis = self._grid.axis
        others = tuple(each for each in range(3) if each != axis)
        held = np.flatnonzero((block == self._segment.GetLabelValue()).any(others))
        planes = np.moveaxis(block, axis, 0)
        sums = {int(index) + low[axis]: self._sum(planes[index], low) for index in held}
        return {k: value for k, value in sums.items() if 0 <= k < self._grid.slices}

    def state(self) -> tuple[int, int]:
        """Return what changes with every stroke; no voxel is read."""
        image = self._segment.GetRepresentation(BINARY)
        return self._segment.GetLabelValue(), 0 if image is None else image.GetMTime()

    def clear(self, k: int) -> None:
        """Take everything of this segment off slice `k`."""
        found = self._inPlace(k)
        if found is not None and (here := found[0] == self._segment.GetLabelValue()).any():
            found[0][here] = 0
            self._tell()

    def draw(self, mask: np.ndarray, k: int) -> bool:
        """Draw a mask (rows, columns); False where the labelmap does not reach, or holds another segment."""
        self._makeRoom()
        found = self._inPlace(k)
        if found is None or found[0].shape != mask.shape or found[0][mask].any():
            return False
        found[0][mask] = self._segment.GetLabelValue()
        self._tell()
        return True

    # What is behind it

    def _sum(self, plane: np.ndarray, low: Sequence[int]) -> int:
        """Return the checksum of the places of the painted pixels, however far the labelmap reaches."""
        rows, columns = np.nonzero(plane == self._segment.GetLabelValue())
        if rows.size == 0:
            return 0
        top, left = self._across(low)
        return zlib.crc32(np.stack([rows + top, columns + left]).astype(np.int32).tobytes()) or 1

    @property
    def _image(self) -> Any:
        """The labelmap, or None while there is nothing in it."""
        image = self._segment.GetRepresentation(BINARY)
        empty = image is None or image.IsEmpty() or image.GetPointData().GetScalars() is None
        return None if empty else image

    def _offset(self, what: str) -> tuple[int, int, int]:
        image = self._image
        return (0, 0, 0) if image is None else self._grid.offsetOf(imageToWorld(image), what)

    def _block(self) -> tuple[np.ndarray, tuple[int, int, int]] | None:
        """Return the voxels (z, y, x), not copied, and where they begin on the grid; `None` if empty."""
        image = self._image
        if image is None:
            return None
        extent = image.GetExtent()
        shape = [extent[2 * axis + 1] - extent[2 * axis] + 1 for axis in (2, 1, 0)]
        block = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape)
        shift = self._offset("a segment")
        z, y, x = (extent[2 * axis] + shift[2 - axis] for axis in (2, 1, 0))
        return block, (z, y, x)

    def _inPlace(self, k: int) -> tuple[np.ndarray, tuple[int, int, int]] | None:
        """Return slice `k` as far as the labelmap reaches, not copied, and where the labelmap begins."""
        found = self._block()
        if found is None:
            return None
        block, low = found
        index = k - low[self._grid.axis]
        if not 0 <= index < block.shape[self._grid.axis]:
            return None
        return np.moveaxis(block, self._grid.axis, 0)[index], low

    def _across(self, triple: Sequence[int]) -> tuple[int, int]:
        rows, columns = (value for axis, value in enumerate(triple) if axis != self._grid.axis)
        return rows, columns

    def _makeRoom(self) -> None:
        """Let a labelmap that holds nothing yet reach over the whole grid."""
        image = self._segment.GetRepresentation(BINARY)
        if image is None or not image.IsEmpty():
            return
        image.SetGeometryFromImageToWorldMatrix(vtkMatrixOf(self._grid.ijkToRas))
        image.SetDimensions(*self._grid.shape[::-1])
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        vtk_to_numpy(image.GetPointData().GetScalars())[:] = 0

    def _tell(self) -> None:
        """Tell that it was changed in place; views see a first stroke by the segment's event only."""
        image = self._segment.GetRepresentation(BINARY)
        image.GetPointData().GetScalars().Modified()
        image.Modified()
        self._segment.Modified()


def sliceImage(grid: Grid, mask: np.ndarray, k: int) -> Any:
    """Return the painted part of a slice as a vtkOrientedImageData of ones and zeros.

    Parameters
    ----------
    mask : numpy.ndarray
        Boolean (rows, columns) with something painted.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = [[rows[0], rows[-1]], [columns[0], columns[-1]]]
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    box.insert(grid.axis, [k, k])
    image = slicer.vtkOrientedImageData()
    image.SetExtent([int(value) for axis in reversed(box) for value in axis])
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    shape = [last - first + 1 for first, last in box]
    scalars = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape)
    scalars[...] = np.expand_dims(part, grid.axis)
    image.SetGeometryFromImageToWorldMatrix(vtkMatrixOf(grid.ijkToRas))
    return image


def imageToWorld(image: Any) -> np.ndarray:
    """Return the (4, 4) of a vtkOrientedImageData, from voxels to mm."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return matrixOf(matrix)


def _placed(plane: np.ndarray, low: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """Put a plane that begins at `low` into a slice of `shape`; what lies outside must be empty."""
    whole = np.zeros(shape, bool)
    first = [max(0, -begin) for begin in low]
    last = [min(size, total - begin) for size, total, begin in zip(plane.shape, shape, low, strict=True)]
    inside = plane[first[0] : last[0], first[1] : last[1]]
    if np.count_nonzero(inside) != np.count_nonzero(plane):
        raise GeometryMismatch("a label was painted beyond the edge of the volume: erase what lies outside")
    if inside.size:
        whole[
            low[0] + first[0] : low[0] + first[0] + inside.shape[0],
            low[1] + first[1] : low[1] + first[1] + inside.shape[1],
        ] = inside
    return whole
