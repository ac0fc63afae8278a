"""Read the prepared volumes of a pair, ahead of time if wished, and make volume nodes of them.

The files are the project's own: NIfTI, one file, compressed, one number a voxel. Reading them takes no node
and no image library, so that it is done on a thread while the annotator still draws on the pair before. It
keeps the order of the slices in the file, as the engine does; Slicer's own reader turns a left-handed volume
round.
"""

from __future__ import annotations

import gzip
import struct
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import get_vtk_array_type, vtk_to_numpy

from longitudinal_al.errors import NotReady, UnreadableImage
from longitudinal_al.frontend.slice_grid import RECORD_FILE
from LongitudinalALLib.SceneGrid import vtkMatrixOf

ROLES = ("baseline", "followup", "difference")
TITLES = {"baseline": "Baseline", "followup": "Follow-up", "difference": "Difference"}
DIFFERENCE_WINDOW = 16.0
"""Shown from -8 to 8 robust z: a change begins at about 4."""
HEADROOM = 0.25
"""So much of the tissue's range is left above it, so that a lesion in bright tissue is still seen."""
KEPT = 3
"""So many pairs are kept in memory that were read ahead and not opened yet."""
TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4"}


@dataclass(frozen=True)
class Volume:
    """Voxels (z, y, x) and where they lie in mm RAS; `image` is made of them ahead of time, or not."""

    voxels: np.ndarray
    ijkToRas: np.ndarray
    image: Any = None


Stamp = tuple[int, int] | None
"""Time and size of a pair's record, which is written last: another one after every preparation."""


@dataclass(frozen=True)
class PreparedPair:
    """What a pair's folder holds: a volume for each of `ROLES`, and the window and level of the scans."""

    volumes: Mapping[str, Volume]
    window: float
    level: float
    stamp: Stamp = None


def stampOf(folder: Path) -> Stamp:
    """Return what tells one preparation of a pair from another; None where there is no record."""
    try:
        found = (folder / RECORD_FILE).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


class PairReader:
    """Reads pairs, and keeps those that were read ahead until they are taken."""

    def __init__(self) -> None:
        self._ahead: dict[Path, _Reading] = {}

    def readAhead(self, folder: Path) -> None:
        """Begin to read a pair on a thread; errors come out when it is taken."""
        if folder not in self._ahead:
            while len(self._ahead) >= KEPT:
                self._ahead.pop(next(iter(self._ahead)))
            self._ahead[folder] = _Reading(folder)

    def take(self, folder: Path) -> PreparedPair:
        """Return a pair, at once if it was read ahead and not prepared anew since.

        Raises
        ------
        NotReady
            When a file is missing.
        UnreadableImage
            When one is damaged.
        """
        reading = self._ahead.pop(folder, None)
        found = reading.result() if reading else None
        return found if found is not None and found.stamp == stampOf(folder) else readPair(folder)

    def wait(self) -> None:
        """Wait until all that was asked for is read."""
        for reading in list(self._ahead.values()):
            reading.wait()

    def forget(self) -> None:
        """Drop what was read ahead."""
        self._ahead.clear()


class _Reading:
    """A pair that is being read on a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: PreparedPair | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="pair reader", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        self._thread.join()

    def result(self) -> PreparedPair:
        self.wait()
        if self._error is not None:
            raise self._error
        assert self._found is not None
        return self._found

    def _run(self) -> None:
        try:
            self._found = readPair(self._folder)
        except Exception as error:  # it is raised again where it is waited for
            self._error = error


def readPair(folder: Path) -> PreparedPair:
    """Read the prepared volumes of a pair; see `PairReader.take`."""
    stamp = stampOf(folder)  # before the volumes: one that changes meanwhile is noticed later
    volumes = {role: _withImage(readVolume(folder / f"{role}.nii.gz")) for role in ROLES}
    window, level = _windowLevel(volumes["followup"].voxels)
    return PreparedPair(volumes, window, level, stamp)


def _withImage(volume: Volume) -> Volume:
    """Make the image and its range on the reader's thread, so that showing it takes no time."""
    image = imageOf(volume.voxels)
    image.GetScalarRange()
    return replace(volume, image=image)


def readVolume(path: Path) -> Volume:
    """Read a compressed NIfTI-1 file of one 3-D volume.

    Raises
    ------
    NotReady
        When it is missing.
    UnreadableImage
        When it is no such file, or damaged.
    """
    try:
        raw = gzip.decompress(path.read_bytes())
        return _volume(raw)
    except FileNotFoundError as error:
        raise NotReady(f"{path} is missing: prepare the pair") from error
    except (OSError, EOFError, zlib.error, struct.error, ValueError, KeyError) as error:
        raise UnreadableImage(f"{path} cannot be read ({error}): prepare the pair again") from error


def _volume(raw: bytes) -> Volume:
    order = next((each for each in "<>" if struct.unpack(each + "i", raw[:4])[0] == 348), None)
    if order is None:
        raise ValueError("it is no NIfTI-1 file")
    dimensions = struct.unpack(order + "8h", raw[40:56])
    if dimensions[0] < 3 or any(size > 1 for size in dimensions[4 : dimensions[0] + 1]):
        raise ValueError("it is no single 3-D volume")
    kind = np.dtype(order + TYPES[struct.unpack(order + "h", raw[70:72])[0]])
    start, slope, intercept = struct.unpack(order + "3f", raw[108:120])
    shape = dimensions[3:0:-1]
    voxels = np.frombuffer(raw, kind, int(np.prod(shape)), int(start)).reshape(shape)
    if slope not in (0.0, 1.0) or (slope and intercept):
        voxels = voxels.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    return Volume(voxels.astype(kind.newbyteorder("="), copy=False), _ijkToRas(raw, order))


def _ijkToRas(raw: bytes, order: str) -> np.ndarray:
    """Return the affine of a NIfTI-1 header: sform if there is one, else qform (nifti1.h, methods 3, 2)."""
    qformCode, sformCode = struct.unpack(order + "2h", raw[252:256])
    matrix = np.eye(4)
    if sformCode > 0:
        matrix[:3] = np.array(struct.unpack(order + "12f", raw[280:328])).reshape(3, 4)
        return matrix
    if qformCode <= 0:
        raise ValueError("it does not say where it lies")
    sizes = struct.unpack(order + "4f", raw[76:92])
    b, c, d, x, y, z = struct.unpack(order + "6f", raw[256:280])
    a = max(0.0, 1 - b * b - c * c - d * d) ** 0.5
    turned = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    matrix[:3, :3] = turned * [sizes[1], sizes[2], sizes[3] * (-1 if sizes[0] < 0 else 1)]
    matrix[:3, 3] = x, y, z
    return matrix


def _windowLevel(voxels: np.ndarray) -> tuple[float, float]:
    """Return window and level: black below the tissue, white above it with room for brighter lesions."""
    sample = voxels[::2, ::4, ::4]
    tissue = sample[sample != sample.ravel()[0]]
    low, high = np.percentile(tissue if tissue.size else sample, [1.0, 99.5])
    high += HEADROOM * (high - low)
    return max(float(high - low), 1e-3), float(high + low) / 2


def imageOf(voxels: np.ndarray) -> Any:
    """Return a vtkImageData with a copy of an array (z, y, x)."""
    image = vtk.vtkImageData()
    image.SetDimensions(*voxels.shape[::-1])
    image.AllocateScalars(get_vtk_array_type(voxels.dtype), 1)
    vtk_to_numpy(image.GetPointData().GetScalars()).reshape(voxels.shape)[...] = voxels
    return image


def addVolume(scene: Any, volume: Volume, name: str) -> Any:
    """Add a scalar volume node with its display node, known to be saved nowhere.

    The prepared files are the project's own. Were they the node's, Slicer would write into their folder:
    `Base/QTGUI/qSlicerSaveDataDialog.cxx` (nodeFileInfo) names a node's file after the node, in the folder of
    the one it has, and ticks it. Without one, the folder of the scene is proposed.

    Contract: Slicer `Libs/MRML/Core/vtkMRMLVolumeNode.h` (SetIJKToRASMatrix).
    """
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetName(name)
    node.SetIJKToRASMatrix(vtkMatrixOf(volume.ijkToRas))
    node.SetAndObserveImageData(volume.image or imageOf(volume.voxels))
    node = scene.AddNode(node)
    display = slicer.vtkMRMLScalarVolumeDisplayNode()
    display.SetAutoWindowLevel(False)
    scene.AddNode(display)
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    node.SetAndObserveDisplayNodeID(display.GetID())
    return node


def setWindowLevel(volumeNode: Any, window: float, level: float) -> None:
    """Set what is black and white; Contract: `Libs/MRML/Core/vtkMRMLScalarVolumeDisplayNode.h`."""
    display = volumeNode.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(window, level)
