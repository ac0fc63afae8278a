"""Make the picture of the three slice views for the documentation: drawn off-screen, without the application.

Run: `PYTHONPATH=LongitudinalAL python Testing/slicer/picture_views.py PROJECT/pairs/PAIR PICTURE.png`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from host import Host, canDraw
from picture_files import threeViews, write

from LongitudinalALLib.Scene import Scene
from LongitudinalALLib.SceneLayout import TAGS
from LongitudinalALLib.SceneVolumes import readVolume

SIZE = (420, 500)


def main(folder: Path, target: Path) -> None:
    """Show the slice with the most change of a pair, with its mask of change as the label."""
    axis = json.loads((folder / "prepared.json").read_text())["slice_axis"]
    reference = np.moveaxis(readVolume(folder / "reference.nii.gz").voxels, axis, 0)
    k = int(np.argmax((reference > 0).sum((1, 2))))
    host = Host()
    scene = Scene()
    pair = scene.openPair(folder, axis)
    scene.show(pair, k)
    for tag in TAGS.values():
        host.view(tag, SIZE)
    scene.views.turn(pair.grid, pair.followup)
    scene.writeSliceLabel(k, (reference[k] > 0).astype(np.uint8))
    scene.jump(k)
    target.parent.mkdir(parents=True, exist_ok=True)
    write(target, threeViews(host, SIZE, captions=True))
    scene.release()
    host.close()


if __name__ == "__main__":
    if not canDraw():
        sys.exit("neither a display, nor EGL, nor OSMesa: nothing can be drawn here")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
