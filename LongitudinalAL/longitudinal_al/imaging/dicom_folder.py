"""Read a folder with one DICOM series, and when it was acquired. Names of patients are never read."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from longitudinal_al.errors import UnreadableImage
from longitudinal_al.imaging.itk_files import ITK_FILES

POSITION, ORIENTATION = "0020|0032", "0020|0037"
TIMES = (("0008|0022", "0008|0032"), ("0008|0021", "0008|0031"), ("0008|0020", "0008|0030"))
MOMENT = "0008|002a"
SERIES, _SERIES_TAG = "0020|000e", b"\x20\x00\x0e\x00"
_HEAD_BYTES = 1 << 16
UNEVEN = 0.1  # of the distance between slices: scanners round positions, a missing slice doubles the step


def read_dicom_folder(folder: Path) -> sitk.Image:
    """Read the one DICOM series of a folder as a volume, with its own pixel type.

    Raises
    ------
    UnreadableImage
        When the folder holds no DICOM series, or more than one, a slice that is cut off, or slices that are
        not evenly spaced.
    """
    files = _files_of_the_series(folder)
    _refuse_cut_files(folder, files)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(files)
    reader.MetaDataDictionaryArrayUpdateOn()
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise UnreadableImage(
            f"{folder}: the DICOM slices do not form one volume; export the series again, alone in its folder"
        ) from error
    if image.GetNumberOfComponentsPerPixel() > 1:
        raise UnreadableImage(f"{folder}: the DICOM series is in colour, expected grey; give the scan itself")
    _check_steps(reader, image.GetSize()[2], folder)
    return image


def acquisition_time(path: Path) -> datetime | None:
    """When a DICOM folder's series was acquired; `None` for other formats or without such an entry."""
    if not path.is_dir():
        return None
    with ITK_FILES:
        try:
            first = _files_of_the_series(path)[0]
        except UnreadableImage:
            return None
        reader = sitk.ImageFileReader()
        reader.SetFileName(first)
        with suppress(RuntimeError):
            reader.ReadImageInformation()
            texts = [
                _text(reader, MOMENT),
                *(_text(reader, day) + _text(reader, time) for day, time in TIMES),
            ]
            return next((moment for moment in map(_moment, texts) if moment), None)
    return None


def _files_of_the_series(folder: Path) -> tuple[str, ...]:
    """Return the files of the folder's only series, ordered along the slice axis."""
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if not series:
        raise UnreadableImage(
            f"{folder}: a folder without a DICOM series; give the folder that holds the slices"
        )
    files = [sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), name) for name in series]
    if len(files) > 1:
        found = "; ".join(f"{len(names)} files from {Path(names[0]).name}" for names in files[:5])
        raise UnreadableImage(
            f"{folder}: {len(files)} DICOM series in one folder ({found}); "
            "put the one to use into its own folder"
        )
    return tuple(files[0])


def _refuse_cut_files(folder: Path, files: tuple[str, ...]) -> None:
    """Refuse a series with a slice that cannot be read: GDCM leaves it out without a word."""
    first = sitk.ImageFileReader()
    first.SetFileName(files[0])
    try:
        first.ReadImageInformation()
    except RuntimeError:
        return  # reading the series says so
    belongs = re.compile(
        re.escape(_SERIES_TAG) + b".{4}" + re.escape(_text(first, SERIES).encode()), re.DOTALL
    )
    known = {Path(name).name for name in files}
    for path in sorted(folder.iterdir()):
        if path.name not in known and path.is_file() and belongs.search(_head_of(path)):
            raise UnreadableImage(
                f"{folder}: the slice {path.name} is cut off or damaged; copy it or export the series again"
            )


def _head_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _check_steps(reader: sitk.ImageSeriesReader, slices: int, folder: Path) -> None:
    """Refuse a series with a missing slice: everything behind the gap would lie at the wrong place."""
    try:
        along = np.array([_position_along_normal(reader, k) for k in range(slices)])
    except (RuntimeError, ValueError):
        return  # multi-frame files and old exports keep no position of each slice
    steps = np.diff(along)
    if steps.size and np.ptp(steps) > UNEVEN * abs(np.median(steps)):
        raise UnreadableImage(
            f"{folder}: the slices are not evenly spaced ({np.abs(steps).min():.2f} to "
            f"{np.abs(steps).max():.2f} mm apart); one may be missing: export the series again"
        )


def _position_along_normal(reader: sitk.ImageSeriesReader, k: int) -> float:
    position = np.array([float(x) for x in reader.GetMetaData(k, POSITION).split("\\")])
    rows_columns = np.array([float(x) for x in reader.GetMetaData(k, ORIENTATION).split("\\")])
    return float(position @ np.cross(rows_columns[:3], rows_columns[3:]))


def _text(reader: sitk.ImageFileReader, key: str) -> str:
    return reader.GetMetaData(key).strip() if reader.HasMetaDataKey(key) else ""


def _moment(text: str) -> datetime | None:
    digits = text.split(".")[0].split("+")[0]
    for pattern, length in (("%Y%m%d%H%M%S", 14), ("%Y%m%d%H%M", 12), ("%Y%m%d", 8)):
        with suppress(ValueError):
            if len(digits) >= length:
                return datetime.strptime(digits[:length], pattern)
    return None
