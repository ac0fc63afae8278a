"""What the three views show, compared with expected pictures that were looked at.

New ones are written with LONGITUDINALAL_NEW_PICTURES=1: look at them before they are kept.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from host import canDraw
from picture_files import difference, read, threeViews, write

PICTURES = Path(__file__).parent / "pictures"
MEAN, CLEARLY, MISSING = 1.5, 0.012, 0.03
"""Tolerance for another OpenGL, which may place an outline a pixel aside: mean grey levels, and share of
pixels that differ clearly; so many differ at least when a label is not there."""


@pytest.fixture
def drawing():
    """Skip visibly where nothing can be drawn."""
    if not canDraw():
        pytest.skip("neither a display, nor EGL, nor OSMesa: slice views cannot be drawn")


def _label(pair) -> np.ndarray:
    """A disc of class 1 and a bar of class 2."""
    rows, columns = np.indices(pair.grid.sliceShape) / np.array(pair.grid.sliceShape)[:, None, None]
    label = np.zeros(pair.grid.sliceShape, np.uint8)
    label[(rows - 0.4) ** 2 + (columns - 0.62) ** 2 < 0.02] = 1
    label[(abs(rows - 0.7) < 0.03) & (abs(columns - 0.4) < 0.2)] = 2
    return label


def _soft(pair, row: float, column: float) -> np.ndarray:
    rows, columns = np.indices(pair.grid.sliceShape) / np.array(pair.grid.sliceShape)[:, None, None]
    return np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 0.02)


def labels(scene, pair):
    scene.writeSliceLabel(6, _label(pair))
    scene.show(pair, 6)


def overlays(scene, pair):
    labels(scene, pair)
    scene.setOverlay("suggestion", 6, _soft(pair, 0.35, 0.55))
    scene.setOverlay("earlier labels", 6, (_label(pair) == 1)[::-1])
    scene.setOverlay("uncertainty", 6, _soft(pair, 0.6, 0.6))
    for name in ("suggestion", "earlier labels", "uncertainty"):
        scene.switchOverlay(name, True)


def checkerboard(scene, pair):
    scene.show(pair, 6)
    scene.checkView("checkerboard")


def edges(scene, pair):
    scene.show(pair, 6)
    scene.checkView("edges")


CASES = {
    "axial-labels": ("axial", labels),
    "sagittal-labels": ("sagittal", labels),
    "oblique-labels": ("oblique", labels),
    "anisotropic-labels": ("anisotropic", labels),
    "transform-labels": ("under a transform", labels),
    "overlays": ("axial", overlays),
    "checkerboard": ("axial", checkerboard),
    "edges": ("axial", edges),
}


@pytest.mark.parametrize("case", CASES)
def test_the_views_show_what_they_should(drawing, host, scene, openPair, case):
    geometry, arrange = CASES[case]
    pair = openPair(geometry, classes=("new or enlarging", "shrinking or vanished"))
    for tag in ("LongitudinalALBaseline", "LongitudinalALFollowUp", "LongitudinalALDifference"):
        host.view(tag, (220, 220))
    scene.views.turn(pair.grid, pair.followup)
    arrange(scene, pair)
    picture = threeViews(host)
    path = PICTURES / f"{case}.png"
    if os.environ.get("LONGITUDINALAL_NEW_PICTURES"):
        PICTURES.mkdir(exist_ok=True)
        write(path, picture)
    mean, clearly = difference(picture, read(path))
    assert mean <= MEAN and clearly <= CLEARLY, (
        f"{case}: {mean:.2f} grey levels, {clearly:.2%} of pixels differ clearly"
    )


def test_the_views_follow_a_label_that_is_written_and_cleared(drawing, host, scene, openPair):
    pair = openPair("axial", classes=("new or enlarging", "shrinking or vanished"))
    for tag in ("LongitudinalALBaseline", "LongitudinalALFollowUp", "LongitudinalALDifference"):
        host.view(tag, (220, 220))
    scene.views.turn(pair.grid, pair.followup)
    scene.show(pair, 6)
    expected = read(PICTURES / "axial-labels.png")
    for written in (False, True, False, True):
        scene.writeSliceLabel(6, _label(pair) * np.uint8(written))
        _, clearly = difference(threeViews(host), expected)
        assert (clearly <= CLEARLY) if written else (clearly > MISSING)
