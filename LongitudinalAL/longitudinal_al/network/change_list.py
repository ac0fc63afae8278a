"""The changes of a mask one by one: where each lies and how large it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from longitudinal_al.errors import NotReady
from longitudinal_al.imaging.normalisation import image_like
from longitudinal_al.project.files import read_json, write_json

CHANGES_FILE = "changes.json"
NUMBERS_FILE = "change-numbers.nrrd"
FORMAT = 1

_TOUCHING = np.ones((3, 3, 3), bool)
_CORNERS = np.array(np.meshgrid(*[(-0.5, 0.5)] * 3)).reshape(3, -1).T


@dataclass(frozen=True)
class Change:
    """One change: voxels of one class that touch each other, by a side, an edge or a corner.

    Attributes
    ----------
    id : str
        Stands for exactly these voxels: the same change found again has the same id.
    number : int
        Its value in `NUMBERS_FILE`, from 1 for the largest.
    class_name : str
        Name of its kind of change.
    volume_mm3 : float
        Its volume.
    centre_ras_mm : list of float
        Its centre of mass: right, anterior, superior.
    largest_diameter_mm : float
        Between those two points on the outer edges of its voxels that lie farthest apart.
    slice : int
        The slice of the pair's grid on which most of it lies.
    """

    id: str
    number: int
    class_name: str
    volume_mm3: float
    centre_ras_mm: list[float]
    largest_diameter_mm: float
    slice: int


def find_changes(
    mask: sitk.Image, classes: Sequence[str], slice_axis: int
) -> tuple[list[Change], sitk.Image]:
    """List the changes of a mask, the largest first.

    Parameters
    ----------
    mask : SimpleITK.Image
        0 = no change, k = class k.
    classes : sequence of str
        Their names; class k is entry k - 1.
    slice_axis : int
        Array axis (0 = z, 1 = y, 2 = x) across which the slices lie.

    Returns
    -------
    changes : list of Change
        The largest first.
    numbers : SimpleITK.Image
        uint16 on the mask's grid: each voxel's change by number, 0 where there is none.
    """
    voxels = sitk.GetArrayViewFromImage(mask)
    pieces = [(piece, value) for value in range(1, len(classes) + 1) for piece in _pieces(voxels == value)]
    pieces.sort(key=lambda piece: (-len(piece[0]), piece[0][0].tolist()))
    numbers = np.zeros(voxels.shape, np.uint16)
    changes = []
    for number, (piece, value) in enumerate(pieces, start=1):
        numbers[tuple(piece.T)] = min(number, np.iinfo(np.uint16).max)
        changes.append(_change(piece, number, classes[value - 1], mask, slice_axis))
    return changes, image_like(mask, numbers)


def _pieces(inside: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the voxels (n, 3) of each piece of what is true."""
    labels, _ = ndimage.label(inside, _TOUCHING)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        yield np.argwhere(labels[box] == number) + [side.start for side in box]


def _change(piece: np.ndarray, number: int, class_name: str, mask: sitk.Image, slice_axis: int) -> Change:
    """Measure the voxels (n, 3), in array order (z, y, x)."""
    along = np.bincount(piece[:, slice_axis])
    centre = mask.TransformContinuousIndexToPhysicalPoint(piece.mean(0)[::-1].tolist())
    identity = hashlib.sha256(f"{class_name} {mask.GetSize()} {piece.tolist()}".encode()).hexdigest()[:16]
    return Change(
        id=identity,
        number=number,
        class_name=class_name,
        volume_mm3=round(len(piece) * float(np.prod(mask.GetSpacing())), 3),
        centre_ras_mm=[round(-centre[0], 3), round(-centre[1], 3), round(centre[2], 3)],
        largest_diameter_mm=round(_diameter_mm(piece, np.array(mask.GetSpacing()[::-1])), 3),
        slice=int(along.argmax()),
    )


def _diameter_mm(piece: np.ndarray, spacing_mm: np.ndarray) -> float:
    """Return the largest distance between the corners of voxels; only those of the hull can be it."""
    corners = np.unique((_ends_of_rows(piece)[:, None] + _CORNERS).reshape(-1, 3), axis=0) * spacing_mm
    return float(pdist(corners[ConvexHull(corners).vertices]).max())


def _ends_of_rows(piece: np.ndarray) -> np.ndarray:
    """Return the first and the last voxel of each row: what lies between is inside of the hull."""
    rows = np.unique(piece[:, :2], axis=0, return_inverse=True)[1].ravel()
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    last = np.append(first[1:], len(rows)) - 1
    return piece[np.union1d(first, last)]


def write_changes(folder: Path, pair_id: str, changes: Sequence[Change]) -> Path:
    """Write the list of a pair's changes beside its mask."""
    path = folder / CHANGES_FILE
    listed = [_as_json(change) for change in changes]
    write_json(path, {"format": FORMAT, "pair": pair_id, "grid": "pair", "changes": listed})
    return path


def _as_json(change: Change) -> dict[str, Any]:
    fields = asdict(change)
    return {("class" if name == "class_name" else name): value for name, value in fields.items()}


def read_changes(folder: Path) -> list[Change]:
    """Read the list of a pair's changes.

    Raises
    ------
    NotReady
        When it is missing or damaged; predicting again makes it anew.
    """
    stored = read_json(folder / CHANGES_FILE)
    try:
        return [Change(class_name=each["class"], **_without_class(each)) for each in stored["changes"]]
    except (TypeError, KeyError) as error:
        raise NotReady(f"{folder}: there is no list of changes; run `predict` again") from error


def _without_class(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "class"}
