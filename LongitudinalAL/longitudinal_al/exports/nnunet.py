"""The labelled pairs as a raw dataset of nnU-Net, version 2."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from longitudinal_al.exports.files_written import copy_file
from longitudinal_al.exports.labelled_pair import LabelledPair, labelled_pairs
from longitudinal_al.imaging.normalisation import image_like
from longitudinal_al.imaging.writing import write_image
from longitudinal_al.pairs.stack import CHANNELS
from longitudinal_al.project.files import write_json
from longitudinal_al.project.records import Split
from longitudinal_al.project.store import Project

DATASET = "Dataset800_LongitudinalAL"
"""Another number can be given by renaming the folder."""
RESERVED = ("background", "ignore")


def export_nnunet(project: Project, folder: Path) -> list[Path]:
    """Write the labelled pairs as an nnU-Net dataset, in a folder `DATASET` to be moved into `nnUNet_raw`.

    Channels are baseline (0000), follow-up (0001) and difference (0002), all on the pair's grid. Slices
    without a label carry nnU-Net's ignore label, the highest one, and so count neither as change nor as no
    change (Gotkowski et al., "Embarrassingly Simple Scribble Supervision for 3D Medical Segmentation", 2024).
    Pairs of the pool are training cases, those set aside for testing lie in `imagesTs` and `labelsTs`.
    """
    out, written, training = folder / DATASET, [], 0
    for pair in labelled_pairs(project):
        where = "Tr" if pair.prepared.pair.split is Split.POOL else "Ts"
        training += where == "Tr"
        written += _write_case(pair, out, where, len(project.classes) + 1)
    write_json(out / "dataset.json", _description(project.classes, training))
    return [*written, out / "dataset.json"]


def _write_case(pair: LabelledPair, out: Path, where: str, ignore: int) -> list[Path]:
    name = pair.prepared.pair.id
    written = []
    for number, channel in enumerate(CHANNELS):
        target = out / f"images{where}" / f"{name}_{number:04d}.nii.gz"
        copy_file(pair.prepared.folder / f"{channel}.nii.gz", target)
        written.append(target)
    target = out / f"labels{where}" / f"{name}.nii.gz"
    labels, labelled = sitk.GetArrayFromImage(pair.labels), sitk.GetArrayViewFromImage(pair.labelled)
    marked = np.where(labelled > 0, labels, ignore).astype(np.uint8)
    write_image(image_like(pair.labels, marked), target)
    return [*written, target]


def _description(classes: Sequence[str], training: int) -> dict[str, object]:
    names = [f"{name} (change)" if name.lower() in RESERVED else name for name in classes]
    labels = {"background": 0, **{name: k for k, name in enumerate(names, start=1)}}
    return {
        "channel_names": {str(number): channel for number, channel in enumerate(CHANNELS)},
        "labels": {**labels, "ignore": len(names) + 1},
        "numTraining": training,
        "file_ending": ".nii.gz",
        "description": "Change between two scans; slices that were not labelled carry the ignore label.",
    }
