"""Write images and transforms, whole or not at all."""

from __future__ import annotations

import gzip
import math
import shutil
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from longitudinal_al.errors import InvalidInput, StorageFailed
from longitudinal_al.imaging.itk_files import ITK_FILES
from longitudinal_al.project.files import write_atomically

IMAGE_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")
TRANSFORM_SUFFIXES = (".tfm", ".txt", ".mat")
COMPRESSION = 1  # the fastest: on noisy scans the higher levels cost five times as long for a few per cent
NIFTI_HEADER_BYTES = 352


def write_image(image: sitk.Image, path: Path) -> None:
    """Write an image as `.nii.gz`, `.nii`, `.nrrd` or `.mha`, compressed where the format can.

    Raises
    ------
    InvalidInput
        When the suffix is another one.
    StorageFailed
        When the disk is full, read-only or gone; an older file of that name is untouched.
    """
    name = path.name.lower()
    if name.endswith(".nii.gz"):
        write_atomically(path, lambda temporary: _write_gzipped(image, temporary))
    elif name.endswith(IMAGE_SUFFIXES):
        write_atomically(path, lambda temporary: _write(image, temporary))
    else:
        raise InvalidInput(f"{path}: cannot write this format; end the name in {', '.join(IMAGE_SUFFIXES)}")


def write_transform(transform: sitk.Transform, path: Path) -> None:
    """Write an ITK transform (`.tfm`, `.txt`, `.mat`).

    Raises
    ------
    InvalidInput
        When the suffix is another one.
    StorageFailed
        When the disk is full, read-only or gone; an older file of that name is untouched.
    """
    if not path.name.lower().endswith(TRANSFORM_SUFFIXES):
        raise InvalidInput(
            f"{path}: cannot write this format; end the name in {', '.join(TRANSFORM_SUFFIXES)}"
        )
    write_atomically(path, lambda temporary: _write_transform(transform, temporary))


def _write(image: sitk.Image, path: Path) -> None:
    try:
        with ITK_FILES:
            sitk.WriteImage(image, str(path), useCompression=True, compressionLevel=COMPRESSION)
    except RuntimeError as error:
        raise StorageFailed(f"cannot write {path.parent}: is the disk full or read-only?") from error
    if path.name.lower().endswith(".nii"):
        _check_whole(image, path)


def _write_gzipped(image: sitk.Image, path: Path) -> None:
    """Compress in Python: ITK's NIfTI writer has one slow level, and is silent when the disk is full."""
    plain = path.with_name(path.name[: -len(".gz")])
    try:
        _write(image, plain)
        with (
            plain.open("rb") as source,
            path.open("wb") as file,
            gzip.GzipFile("", "wb", COMPRESSION, file, mtime=0) as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
    finally:
        plain.unlink(missing_ok=True)


def _check_whole(image: sitk.Image, path: Path) -> None:
    voxels = math.prod(image.GetSize()) * image.GetNumberOfComponentsPerPixel()
    bytes_each = np.dtype(sitk.GetArrayViewFromImage(image).dtype).itemsize
    if path.stat().st_size < NIFTI_HEADER_BYTES + voxels * bytes_each:
        raise StorageFailed(f"cannot write {path.parent}: the disk is full; free some space and try again")


def _write_transform(transform: sitk.Transform, path: Path) -> None:
    """Write and read again: ITK's writer of texts is silent when the disk is full."""
    try:
        with ITK_FILES:
            sitk.WriteTransform(transform, str(path))
            written = sitk.ReadTransform(str(path))
    except RuntimeError as error:
        raise StorageFailed(f"cannot write {path.parent}: is the disk full or read-only?") from error
    if not np.allclose(written.GetParameters(), transform.GetParameters()):
        raise StorageFailed(f"cannot write {path.parent}: the disk is full; free some space and try again")
