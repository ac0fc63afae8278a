"""A transform node of the scene as a registration of the engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import vtk
from slicer.i18n import tr as _

from longitudinal_al.errors import InvalidInput
from LongitudinalALLib.SceneGrid import matrixOf

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From RAS, Slicer's directions, to ITK's, and back."""


def poseByHand(transformNode: Any, present: Path) -> np.ndarray:
    """Return the registration that a transform of the baseline means.

    The annotator has moved the baseline with the transform until it fitted the follow-up. The baseline shown
    has been registered already where the pair is prepared; then the old registration is corrected.

    Contract: Slicer `Libs/MRML/Core/vtkMRMLTransformNode.h` (GetMatrixTransformToWorld: from the node's space
    to the world; IsTransformToWorldLinear).

    Parameters
    ----------
    transformNode : vtkMRMLTransformNode
    present : pathlib.Path
        `transform.tfm` of the prepared pair; need not exist.

    Returns
    -------
    numpy.ndarray
        (4, 4), from points of the follow-up's space to the baseline's, in ITK's directions.

    Raises
    ------
    InvalidInput
        When the transform is not linear.
    """
    if not transformNode.IsTransformToWorldLinear():
        words = _("'{name}' bends space: registrations by hand turn and shift only")
        raise InvalidInput(words.format(name=transformNode.GetName()))
    matrix = vtk.vtkMatrix4x4()
    transformNode.GetMatrixTransformToWorld(matrix)
    correction = LPS @ np.linalg.inv(matrixOf(matrix)) @ LPS
    return readPose(present) @ correction if present.is_file() else correction


def readPose(path: Path) -> np.ndarray:
    """Read a linear ITK transform from its text file: (4, 4).

    The engine writes ITK's AffineTransform as text: `Parameters` are the 3 x 3 matrix, row by row, and a
    translation; `FixedParameters` the centre.

    Raises
    ------
    InvalidInput
        When it is no such file.
    """
    text = path.read_text(encoding="utf-8")
    found = dict(re.findall(r"^(Parameters|FixedParameters):(.*)$", text, re.MULTILINE))
    try:
        numbers = np.array(found["Parameters"].split(), float)
        centre = np.array(found["FixedParameters"].split(), float)
        linear, translation = numbers[:9].reshape(3, 3), numbers[9:12]
        pose = np.eye(4)
        pose[:3, :3] = linear
        pose[:3, 3] = translation + centre - linear @ centre
    except (KeyError, ValueError) as error:
        words = _("{path} is no linear transform: prepare the pair again")
        raise InvalidInput(words.format(path=path)) from error
    return pose
