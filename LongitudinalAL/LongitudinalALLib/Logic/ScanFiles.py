"""A volume of the scene as a file of the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from longitudinal_al.errors import InvalidInput, NotReady, StorageFailed


def writeScan(scene: Any, nodeId: str, path: Path) -> None:
    """Write a volume as it lies in its own space: transforms above it are left to the registration.

    Contract: Slicer `Libs/MRML/Core/vtkMRMLStorageNode.h` (WriteData: 1 when it was written), used with a
    storage node that is in no scene, so that the volume's own file name stays.

    Raises
    ------
    NotReady
        When the volume is gone.
    InvalidInput
        When it is no single 3-D volume of numbers.
    StorageFailed
        When it cannot be written.
    """
    node = scene.GetNodeByID(nodeId)
    if node is None:
        raise NotReady(_("the volume is no longer in the scene: choose another one"))
    image = node.GetImageData() if node.IsA("vtkMRMLScalarVolumeNode") else None
    if image is None or image.GetNumberOfScalarComponents() != 1 or min(image.GetDimensions()) < 2:
        words = _("'{name}' is no 3-D scan: choose a volume with one number a voxel")
        raise InvalidInput(words.format(name=node.GetName()))
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetUseCompression(1)
    storage.SetFileName(str(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written = storage.WriteData(node)
    except OSError as error:
        words = _("cannot write {path}: {reason}; check the disk")
        raise StorageFailed(words.format(path=path, reason=error.strerror)) from error
    if not written or not path.is_file():
        raise StorageFailed(_("cannot write {path}: is the disk full or read-only?").format(path=path))
