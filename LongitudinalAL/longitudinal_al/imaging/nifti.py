"""What ITK does not do for NIfTI files: axes not quite at right angles, NaN, and files that are cut off."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk

from longitudinal_al.errors import UnreadableImage

TOLERATED_VOXELS = 0.5
_GZIP = b"\x1f\x8b"
_NIFTI_2 = {(540).to_bytes(4, order) for order in ("little", "big")}
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])


def read_sheared_nifti(path: Path) -> sitk.Image:
    """Read a NIfTI file with the nearest header whose axes are at right angles.

    Rounding in a header's matrix is repaired (no voxel's centre moves by more than half a voxel); a real
    shear is refused, since no scanner makes one and every distance would be wrong.

    Raises
    ------
    UnreadableImage
        When the file cannot be read, is not one 3-D volume, or its axes are really sheared.
    """
    try:
        file = nibabel.Nifti1Image.from_filename(path)
        values = np.asarray(file.dataobj)
    except (nibabel.filebasedimages.ImageFileError, OSError, ValueError, EOFError, zlib.error) as error:
        raise UnreadableImage(f"{path}: not a NIfTI file that can be read; export it again") from error
    if values.ndim != 3 or values.dtype.names:
        raise UnreadableImage(f"{path}: {values.ndim}-D data, expected one 3-D scan; save it as its own file")
    matrix = RAS_TO_LPS @ file.affine[:3, :3]
    spacing = np.linalg.norm(matrix, axis=0)
    if not np.all(np.isfinite(spacing)) or np.any(spacing == 0):
        raise UnreadableImage(f"{path}: the header's matrix is singular; correct the header")
    direction = _nearest_rotation(matrix / spacing)
    _check_shear(matrix, direction * spacing, np.array(values.shape), spacing, path)
    image = sitk.GetImageFromArray(np.ascontiguousarray(values.transpose(2, 1, 0)))
    image.SetSpacing(spacing.tolist())
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin((RAS_TO_LPS @ file.affine[:3, 3]).tolist())
    return image


def count_not_finite(path: Path) -> int:
    """Count the NaN and infinite voxels of a NIfTI file; like missing ones, ITK reads them as zeros.

    Raises
    ------
    UnreadableImage
        When the file is cut off or damaged, or its header tells no size of a voxel.
    """
    file = _whole(path)
    if file.get_data_dtype().kind != "f":
        return 0
    values = np.asarray(file.dataobj)
    return values.size - int(np.count_nonzero(np.isfinite(values)))


def _whole(path: Path) -> nibabel.Nifti1Image:
    """Read a NIfTI file to its end, with the checksum of what is compressed."""
    damaged = UnreadableImage(f"{path}: the file is cut off or damaged; copy it or export it again")
    content = path.read_bytes()
    try:
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
        kind = nibabel.Nifti2Image if content[:4] in _NIFTI_2 else nibabel.Nifti1Image
        header = kind.header_class.from_fileobj(io.BytesIO(content), check=False)
        if np.any(header["pixdim"][1:4] == 0):  # nibabel and ITK would say 1 mm
            raise UnreadableImage(f"{path}: the header tells no size of a voxel; export the scan again")
        file = kind.from_bytes(content)
    except (nibabel.filebasedimages.ImageFileError, OSError, ValueError, EOFError, zlib.error) as error:
        raise damaged from error
    voxels = math.prod(file.shape)
    if len(content) < header.get_data_offset() + voxels * file.get_data_dtype().itemsize:
        raise damaged
    return file


def _nearest_rotation(axes: np.ndarray) -> np.ndarray:
    """Return the orthonormal matrix nearest to unit columns (polar decomposition)."""
    left, _, right = np.linalg.svd(axes)
    return left @ right


def _check_shear(
    matrix: np.ndarray, repaired: np.ndarray, shape: np.ndarray, spacing: np.ndarray, path: Path
) -> None:
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape])).reshape(3, -1)
    moved = np.linalg.norm((matrix - repaired) @ (corners - (shape[:, None] - 1) / 2), axis=0).max()
    if moved > TOLERATED_VOXELS * spacing.min():
        raise UnreadableImage(
            f"{path}: the header's axes are not at right angles (off by up to {moved:.1f} mm); "
            "resample the scan onto a plain grid, or export it from the scanner again"
        )
