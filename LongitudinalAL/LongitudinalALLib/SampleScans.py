"""Two public pairs to try it on: where they are, their checksums, and how they become pairs of a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from longitudinal_al.errors import StorageFailed, UnreadableImage
from longitudinal_al.project.records import Pair

CATEGORY = "LongitudinalAL"
SOURCE = "https://raw.githubusercontent.com/muschellij2/open_ms_data/65704901f606/longitudinal/raw"
"""Lesjak et al., Neuroinformatics 2016, CC-BY, as mirrored there at one commit."""
CHECKSUMS = {
    ("patient01", "study1"): "3a2ab438704776ad75b67cd8609740a14782cc590b26fc695dff4216ad67d231",
    ("patient01", "study2"): "d3bb8754526f291e787f522520af7011d5bcfadd121f7d1e8cad16e4daf70f27",
    ("patient03", "study1"): "bed2dc7a40f812ef89434d6aaf0cf83116a0eef3c903422e3732a74b3e1bfbd8",
    ("patient03", "study2"): "e0ec8ec77763a5fb7177325bb6c6372cb6e744242b9700bc9fc0ba00a27aeff0",
}
"""Patient and study -> SHA-256 of the FLAIR scan. Study 1 is the baseline, study 2 the follow-up."""
PATIENTS = sorted({patient for patient, _study in CHECKSUMS})
STUDIES = ("study1", "study2")


def address(patient: str, study: str) -> str:
    """Return the public address of a scan."""
    return f"{SOURCE}/{patient}/{study}_FLAIR.nii.gz"


def registerSampleData(sampleDataLogic: Any, iconsFolder: Path) -> None:
    """List the pairs in the module Sample Data.

    Contract: Slicer `Modules/Scripted/SampleData/SampleData.py`,
    `SampleDataLogic.registerCustomSampleDataSource`; checksums as `SHA256:...`.
    """
    for patient in PATIENTS:
        sampleDataLogic.registerCustomSampleDataSource(
            category=CATEGORY,
            sampleName=f"MS{patient}",
            uris=[address(patient, study) for study in STUDIES],
            fileNames=[f"{patient}-{study}-FLAIR.nii.gz" for study in STUDIES],
            nodeNames=[f"{patient} {name}" for name in ("baseline", "follow-up")],
            checksums=[f"SHA256:{CHECKSUMS[patient, study]}" for study in STUDIES],
            thumbnailFileName=str(iconsFolder / "SampleScans.png"),
        )


def fetchSampleScans(folder: Path) -> list[Pair]:
    """Download the scans that are not there yet, check them, and return them as pairs.

    Contract: Slicer `Base/Python/slicer/util.py`, `downloadFile`, `computeChecksum`.

    Parameters
    ----------
    folder : Path
        Where they are kept.

    Raises
    ------
    UnreadableImage
        When one cannot be fetched, or is not what it should be.
    StorageFailed
        When the folder cannot be made.
    """
    pairs = []
    for patient in PATIENTS:
        paths = []
        for study in STUDIES:
            paths.append(folder / f"{patient}-{study}-FLAIR.nii.gz")
            _fetch(address(patient, study), paths[-1], CHECKSUMS[patient, study])
        pairs.append(Pair(id=patient, patient=patient, baseline=paths[0], followup=paths[1]))
    return pairs


def _fetch(url: str, path: Path, digest: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        words = _("{folder}: {reason}: check the disk")
        raise StorageFailed(words.format(folder=path.parent, reason=error.strerror)) from error
    isThere = slicer.util.downloadFile(url, str(path), checksum=f"SHA256:{digest}")
    if not isThere or slicer.util.computeChecksum("SHA256", str(path)) != digest:
        path.unlink(missing_ok=True)
        words = _("{address} could not be fetched whole: check the connection, and try again")
        raise UnreadableImage(words.format(address=url))
