"""Whether the labels of a pair, and the follow-up they are drawn on, still lie on the pair's grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import slicer
import vtk

from longitudinal_al.errors import GeometryMismatch, NotReady
from LongitudinalALLib.SceneGrid import Grid, matrixOf
from LongitudinalALLib.SceneLabelmap import Labelmap, imageToWorld

GEOMETRY = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
OVERSAMPLING = "Oversampling factor"


def checkFollowup(followup: Any, labels: Any, grid: Grid) -> None:
    """Raise `GeometryMismatch` unless a volume node lies on the grid, under the same transform as its labels.

    Contract: Slicer `Libs/MRML/Core/vtkMRMLVolumeNode.h` (GetIJKToRASMatrix), `vtkMRMLTransformableNode.h`.
    """
    matrix = vtk.vtkMatrix4x4()
    followup.GetIJKToRASMatrix(matrix)
    image = followup.GetImageData()
    shape = image.GetDimensions()[::-1] if image is not None else (0, 0, 0)
    grid.checkSame(shape, matrixOf(matrix), "the follow-up in the scene")
    above, own = followup.GetParentTransformNode(), labels.GetParentTransformNode()
    if above is not own:
        names = [node.GetName() if node else "none" for node in (above, own)]
        raise GeometryMismatch(
            f"the follow-up lies under the transform {names[0]!r}, its labels under {names[1]!r}: "
            "put both under the same transform, or take them out"
        )


def checkGeometry(segmentation: Any, grid: Grid) -> None:
    """Raise `GeometryMismatch` unless the Segment Editor draws on the grid.

    What it draws on is kept as text in the segmentation. Contract: Slicer
    `Libs/vtkSegmentationCore/vtkSegmentationConverter.h` (DeserializeImageGeometry).
    """
    factor = segmentation.GetConversionParameter(OVERSAMPLING)
    if factor and float(factor) != 1.0:
        raise GeometryMismatch(
            f"oversampling is {factor}: strokes would reach the neighbouring slices; set it to 1 in the "
            "Segment Editor's geometry, or close the pair and open it again"
        )
    image = slicer.vtkOrientedImageData()
    text = segmentation.GetConversionParameter(GEOMETRY)
    if not slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, image, False):
        raise GeometryMismatch("the labels have lost their grid: close the pair and open it again")
    shape = tuple(size for size in image.GetDimensions()[::-1])
    grid.checkSame(shape, imageToWorld(image), "the geometry of the labels")


def checkSegments(segmentation: Any, grid: Grid, classes: Mapping[str, str]) -> None:
    """Check the segments of the classes (id -> name).

    Raises
    ------
    NotReady
        When one was deleted.
    GeometryMismatch
        When one lies elsewhere than the pair's grid.
    """
    for id_, name in classes.items():
        segment = segmentation.GetSegment(id_)
        if segment is None:
            raise NotReady(
                f"the segment of {name!r} was deleted: undo that in the Segment Editor, "
                "or show the slice pair again"
            )
        Labelmap(segment, grid).check(f"the segment of {name!r}")
