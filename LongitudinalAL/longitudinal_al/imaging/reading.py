"""Read scans, masks and transforms, and say clearly what is wrong with those that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from longitudinal_al.errors import UnreadableImage
from longitudinal_al.imaging.dicom_folder import acquisition_time as acquisition_time
from longitudinal_al.imaging.dicom_folder import read_dicom_folder
from longitudinal_al.imaging.itk_files import ITK_FILES
from longitudinal_al.imaging.nifti import count_not_finite, read_sheared_nifti

FORMATS = "NIfTI (.nii, .nii.gz), NRRD (.nrrd), MetaImage (.mha, .mhd) or a folder with one DICOM series"
NIFTI_SUFFIXES = (".nii", ".nii.gz")
LARGEST_CLASS = 20
SPACING_MM = (0.01, 50.0)
GRID_TOLERANCE = 1e-3


def read_scan(path: Path) -> sitk.Image:
    """Read one 3-D scan.

    Parameters
    ----------
    path
        A NIfTI, NRRD or MetaImage file, or a folder that holds one DICOM series.

    Returns
    -------
    image
        Three dimensions, float32, with its geometry in millimetres.

    Raises
    ------
    UnreadableImage
        When the file is missing, is no image, is not one 3-D scan of a single channel, or holds NaN,
        infinite or only constant values.
    """
    image = sitk.Cast(_read_volume(path), sitk.sitkFloat32)
    values = sitk.GetArrayViewFromImage(image)
    if values.min() == values.max():
        raise UnreadableImage(f"{path}: the scan is empty (every voxel is {values.min():g}); export it again")
    return image


def read_mask(path: Path, allow_empty: bool = True, *, largest_class: int = LARGEST_CLASS) -> sitk.Image:
    """Read a mask of one class, or of a few numbered ones.

    Parameters
    ----------
    path
        The mask's file (see `read_scan`).
    allow_empty
        Whether a mask without any voxel inside is fine.
    largest_class
        The largest class number that is accepted; 1 accepts binary masks only.

    Returns
    -------
    mask
        uint8: 0 outside, 1 and up inside. A mask of 0 and one other value that is no class (such as 255)
        becomes 0 and 1.

    Raises
    ------
    UnreadableImage
        When the file is not one 3-D volume, holds other values than classes, or is empty and must not be.
    """
    image = _read_volume(path)
    values = np.unique(sitk.GetArrayViewFromImage(image))
    inside = values[values != 0]
    if inside.size == 0 and not allow_empty:
        raise UnreadableImage(f"{path}: the mask is empty (every voxel is 0); give one with voxels inside")
    if inside.size == 1 and inside[0] > largest_class:
        return sitk.Cast(image != 0, sitk.sitkUInt8)
    if not _are_classes(inside, largest_class):
        raise UnreadableImage(
            f"{path}: not a mask: it holds {_some(values)}, expected 0 and "
            f"{'1' if largest_class == 1 else f'whole numbers from 1 to {largest_class}'}; "
            "threshold it first, or give the mask instead of the scan"
        )
    return sitk.Cast(image, sitk.sitkUInt8)


def read_transform(path: Path) -> sitk.Transform:
    """Read an ITK transform of 3-D points (.tfm, .txt, .mat, .h5).

    Raises
    ------
    UnreadableImage
        When the file is missing, is no ITK transform, or maps points of another dimension.
    """
    if not path.is_file():
        raise UnreadableImage(f"{path}: there is no such file; check the path of the transform")
    try:
        with ITK_FILES:
            transform = sitk.ReadTransform(str(path))
    except RuntimeError as error:
        raise UnreadableImage(f"{path}: not an ITK transform that can be read (.tfm, .txt, .mat)") from error
    if transform.GetDimension() != 3:
        raise UnreadableImage(f"{path}: the transform maps {transform.GetDimension()}-D points, expected 3-D")
    if not np.all(np.isfinite(transform.TransformPoint((0.0, 0.0, 0.0)))):
        raise UnreadableImage(f"{path}: the transform holds values that are no numbers; write it again")
    return transform


def same_grid(a: sitk.Image, b: sitk.Image) -> bool:
    """Whether two images have the same size, and voxels at the same places (to a thousandth of a voxel)."""
    if a.GetSize() != b.GetSize():
        return False
    far_corner = [size - 1 for size in a.GetSize()]
    corners = ([0] * len(far_corner), far_corner, *np.diag(far_corner).tolist())
    tolerance = GRID_TOLERANCE * min(a.GetSpacing())
    return all(
        np.allclose(
            a.TransformIndexToPhysicalPoint(corner), b.TransformIndexToPhysicalPoint(corner), 0, tolerance
        )
        for corner in corners
    )


def _read_volume(path: Path) -> sitk.Image:
    """Read one 3-D volume of one channel, with its own pixel type."""
    if not path.exists():
        raise UnreadableImage(f"{path}: there is no such file or folder; check the path")
    with ITK_FILES:
        image = read_dicom_folder(path) if path.is_dir() else _read_file(path)
    _check_geometry(image, path)
    _check_finite(image, path)
    return image


def _read_file(path: Path) -> sitk.Image:
    reader = sitk.ImageFileReader()
    try:
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        _check_kind(reader, path)
        image = reader.Execute()
    except RuntimeError as error:
        if "orthonormal" in str(error):
            return read_sheared_nifti(path)
        raise UnreadableImage(f"{path}: not an image that can be read; expected {FORMATS}") from error
    return _without_trailing_axes(image, path)


def _check_kind(reader: sitk.ImageFileReader, path: Path) -> None:
    channels = reader.GetNumberOfComponents()
    if channels > 1:
        raise UnreadableImage(
            f"{path}: {channels} channels in each voxel (colour, vector or complex), expected one; "
            "give the grey scan"
        )
    volumes = int(np.prod(reader.GetSize()[3:], dtype=np.int64))
    if volumes > 1:
        raise UnreadableImage(
            f"{path}: {volumes} volumes in one file (4-D), expected one; save one as its own file"
        )


def _without_trailing_axes(image: sitk.Image, path: Path) -> sitk.Image:
    """Drop axes of length one behind the third; refuse a picture of two dimensions."""
    if image.GetDimension() < 3:
        raise UnreadableImage(
            f"{path}: a picture of two dimensions, expected a 3-D scan; give the whole volume"
        )
    size = image.GetSize()
    return image if len(size) == 3 else sitk.Extract(image, [*size[:3], *[0] * (len(size) - 3)])


def _check_geometry(image: sitk.Image, path: Path) -> None:
    size = image.GetSize()
    if min(size) < 2:
        raise UnreadableImage(
            f"{path}: one slice only ({' x '.join(map(str, size))} voxels), expected a 3-D scan; "
            "give the whole volume or the folder with all slices"
        )
    spacing = image.GetSpacing()
    if not all(SPACING_MM[0] <= step <= SPACING_MM[1] for step in spacing):
        raise UnreadableImage(
            f"{path}: voxels of {' x '.join(f'{step:g}' for step in spacing)} mm cannot be right; "
            "correct the header (its unit must be millimetres)"
        )


def _check_finite(image: sitk.Image, path: Path) -> None:
    values = sitk.GetArrayViewFromImage(image)
    bad = values.size - int(np.count_nonzero(np.isfinite(values)))
    if path.name.lower().endswith(NIFTI_SUFFIXES):
        bad = max(bad, count_not_finite(path))  # ITK turned them, and what is cut off, into zeros
    if bad:
        raise UnreadableImage(
            f"{path}: {bad} of {values.size} voxels are NaN or infinite; export it again, or replace them"
        )


def _are_classes(inside: np.ndarray, largest_class: int) -> bool:
    in_range = bool(np.all((inside >= 1) & (inside <= largest_class)))
    return in_range and bool(np.all(inside == np.round(inside)))


def _some(values: np.ndarray) -> str:
    shown = ", ".join(f"{value:.4g}" for value in values[:5])
    return f"{values.size} different values ({shown}{', ...' if values.size > 5 else ''})"
