"""Pictures of slice views as PNG files, by VTK: put side by side, written, read, compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from host import Host, vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from LongitudinalALLib.SceneLayout import TAGS

GAP = 4
"""Pixels between two views."""


def threeViews(host: Host, size: tuple[int, int] = (220, 220), captions: bool = False) -> np.ndarray:
    """Return the three views side by side as they are now, uint8 (rows, columns, 3)."""
    views = {role: host.view(tag, size) for role, tag in TAGS.items()}
    if captions:
        for role, view in views.items():
            view.setCaption(
                {"baseline": "Baseline", "followup": "Follow-up", "difference": "Difference"}[role]
            )
    pictures = [view.picture() for view in views.values()]
    gap = np.full((pictures[0].shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([pictures[0], gap, pictures[1], gap, pictures[2]], 1)


def write(path: Path, pixels: np.ndarray) -> None:
    """Write a picture, uint8 (rows, columns, 3)."""
    image = vtk.vtkImageData()
    image.SetDimensions(pixels.shape[1], pixels.shape[0], 1)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(pixels[::-1]).reshape(-1, 3), deep=1))
    writer = vtk.vtkPNGWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(image)
    writer.Write()


def read(path: Path) -> np.ndarray:
    """Read a picture, uint8 (rows, columns, 3)."""
    reader = vtk.vtkPNGReader()
    reader.SetFileName(str(path))
    reader.Update()
    image = reader.GetOutput()
    columns, rows, _ = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, -1)[::-1, :, :3]


def difference(picture: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """Return the mean difference in grey levels, and the share of pixels that differ clearly (by over 48)."""
    apart = np.abs(picture.astype(int) - expected.astype(int)).max(-1)
    return float(apart.mean()), float((apart > 48).mean())
