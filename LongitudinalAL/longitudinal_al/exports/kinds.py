"""What can be exported: one visible dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from longitudinal_al.errors import UnknownName
from longitudinal_al.exports.bundle import export_bundle
from longitudinal_al.exports.label_table import export_label_table
from longitudinal_al.exports.label_volumes import export_label_volumes
from longitudinal_al.exports.nnunet import export_nnunet
from longitudinal_al.exports.predictions import export_predictions
from longitudinal_al.project.store import Project

Export = Callable[[Project, Path], list[Path]]
"""Takes a project and a folder, and returns the files that it wrote."""

EXPORTS: Mapping[str, Export] = {
    "labels": export_label_volumes,
    "predictions": export_predictions,
    "nnunet": export_nnunet,
    "bundle": export_bundle,
    "csv": export_label_table,
}


def export(project: Project, what: str, folder: Path) -> list[Path]:
    """Write one kind of export into a folder; files of an earlier one are replaced.

    Raises
    ------
    UnknownName
        When there is no such kind.
    NotReady
        When there is nothing to export yet.
    """
    if what not in EXPORTS:
        raise UnknownName("export", what, EXPORTS)
    return EXPORTS[what](project, folder)
