"""Labels as volumes: NIfTI, and 3D Slicer's segmentations with standard terms."""

from __future__ import annotations

from pathlib import Path

from longitudinal_al.exports.labelled_pair import labelled_pairs
from longitudinal_al.exports.segmentation_file import SUFFIX, write_segmentation
from longitudinal_al.imaging.writing import write_image
from longitudinal_al.project.store import Project


def export_label_volumes(project: Project, folder: Path) -> list[Path]:
    """Write the labels of each pair into a folder of its own, on the pair's grid.

    `labels.nii.gz` holds the classes. Not every slice is labelled: `labelled-slices.nii.gz` is 1 on those
    that are; on the others 0 in `labels.nii.gz` says nothing. `labels.seg.nrrd` is the same for 3D Slicer.
    """
    written = []
    for pair in labelled_pairs(project):
        out = folder / pair.prepared.pair.id
        for image, name in ((pair.labels, "labels"), (pair.labelled, "labelled-slices")):
            write_image(image, out / f"{name}.nii.gz")
            written.append(out / f"{name}.nii.gz")
        write_segmentation(pair.labels, project.classes, out / f"labels{SUFFIX}")
        written.append(out / f"labels{SUFFIX}")
    return written
