"""Prepared pairs for the tests of the scene: small volumes in several geometries, as the project's files."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from longitudinal_al.project.files import write_json
from longitudinal_al.project.records import Pair, Verdict
from longitudinal_al.project.store import Project


@dataclass(frozen=True)
class Geometry:
    """Voxels (z, y, x), affine, and the array axis across which the slices lie."""

    shape: tuple[int, int, int]
    ijkToRas: np.ndarray
    axis: int
    underTransform: bool = False


def _affine(
    spacing: tuple[float, float, float], directions: np.ndarray, origin=(-30.0, 40.0, -20.0)
) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = directions * spacing
    affine[:3, 3] = origin
    return affine


def _turned(degreesX: float, degreesY: float, degreesZ: float) -> np.ndarray:
    x, y, z = np.radians([degreesX, degreesY, degreesZ])
    aroundX = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    aroundY = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    aroundZ = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    return aroundZ @ aroundY @ aroundX


AXIAL = np.diag([-1.0, -1.0, 1.0])
SAGITTAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Columns: i runs to posterior, j to inferior, k (across slices) to right."""
CORONAL = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, -1.0, 0.0]])
LEFT_HANDED = np.diag([-1.0, 1.0, 1.0])
"""Slicer's own reader turns such volumes round; the project counts slices as the file does."""
GEOMETRIES: Mapping[str, Geometry] = {
    "axial": Geometry((12, 48, 40), _affine((0.9, 0.9, 3.0), AXIAL), 0),
    "sagittal": Geometry((14, 44, 40), _affine((1.0, 1.0, 2.5), SAGITTAL), 0),
    "coronal": Geometry((13, 40, 42), _affine((1.0, 1.0, 4.0), CORONAL), 0),
    "oblique": Geometry((12, 46, 44), _affine((0.8, 0.8, 3.3), _turned(17, -9, 6) @ AXIAL), 0),
    "anisotropic": Geometry((40, 15, 52), _affine((0.55, 5.0, 1.3), AXIAL), 1),
    "left-handed": Geometry((12, 42, 40), _affine((0.9, 0.9, 3.0), LEFT_HANDED), 0),
    "under a transform": Geometry((12, 40, 44), _affine((0.9, 0.9, 3.0), AXIAL), 0, True),
}
"""Name -> grid; `anisotropic` has its thick slices across the second axis of the file."""


def writePair(folder: Path, geometry: Geometry, seed: int = 0) -> Path:
    """Write the prepared volumes of a pair: a head-like blob with a bright change in the follow-up."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    baseline = _head(geometry.shape, generator)
    change = _ball(geometry.shape, (0.5, 0.4, 0.62), 0.16)
    followup = baseline + 6 * change + 0.2 * generator.standard_normal(geometry.shape)
    volumes = {"baseline": baseline, "followup": followup, "difference": followup - baseline}
    for role, voxels in volumes.items():
        writeVolume(folder / f"{role}.nii.gz", voxels.astype(np.float32), geometry.ijkToRas)
    return folder


def projectWithPair(folder: Path, geometry: Geometry, pairs: int = 1) -> Path:
    """Make a project with prepared pairs "pair1", "pair2" ... in a geometry."""
    with Project.create(folder, ("new", "gone")) as project:
        names = [f"pair{number}" for number in range(1, pairs + 1)]
        project.add_pairs([Pair(name, name, folder / "1.nii", folder / "2.nii") for name in names])
        axes = [axis for axis in range(3) if axis != geometry.axis]
        spacing = np.linalg.norm(geometry.ijkToRas[:3, :3], axis=0)[::-1]
        record = {
            "spacing_mm": [spacing[geometry.axis], *spacing[axes]],
            "slice_axis": geometry.axis,
            "frame": {"grid_rows": geometry.shape[axes[0]], "grid_columns": geometry.shape[axes[1]]},
        }
        for seed, name in enumerate(names):
            writePair(project.pair_folder(name), geometry, seed)
            write_json(project.pair_folder(name) / "prepared.json", record)
            project.set_prepared(name, Verdict.GOOD, "", {}, geometry.shape[geometry.axis])
    return folder


def writeVolume(path: Path, voxels: np.ndarray, ijkToRas: np.ndarray, *, qform: bool = False) -> None:
    """Write a NIfTI-1 file of float32, with its place as sform, or as qform (directions a rotation)."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *voxels.shape[::-1], 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 16, 32)
    spacing = np.linalg.norm(ijkToRas[:3, :3], axis=0)
    struct.pack_into("<4f", header, 76, 1.0, *spacing)
    struct.pack_into("<3f", header, 108, 352.0, 1.0, 0.0)
    header[123] = 2
    struct.pack_into("<2h", header, 252, int(qform), int(not qform))
    if qform:
        rotation = ijkToRas[:3, :3] / spacing
        a = max(0.0, 1 + np.trace(rotation)) ** 0.5 / 2
        b, c, d = (
            rotation[2, 1] - rotation[1, 2],
            rotation[0, 2] - rotation[2, 0],
            rotation[1, 0] - rotation[0, 1],
        )
        struct.pack_into("<6f", header, 256, *(np.array([b, c, d]) / (4 * a)), *ijkToRas[:3, 3])
    else:
        struct.pack_into("<12f", header, 280, *ijkToRas[:3].ravel())
    header[344:348] = b"n+1\0"
    path.write_bytes(gzip.compress(bytes(header) + np.ascontiguousarray(voxels).tobytes(), 1))


def _head(shape: tuple[int, int, int], generator: np.random.Generator) -> np.ndarray:
    inside = _ball(shape, (0.5, 0.5, 0.5), 0.44)
    ventricle = _ball(shape, (0.5, 0.5, 0.45), 0.12)
    return inside * (1 + 0.2 * generator.standard_normal(shape)) - 3 * ventricle - 2 * (1 - inside)


def _ball(shape: tuple[int, int, int], centre: tuple[float, float, float], radius: float) -> np.ndarray:
    axes = [(np.arange(size) + 0.5) / size - middle for size, middle in zip(shape, centre, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return (z**2 + y**2 + x**2 < radius**2).astype(float)
