"""Fixtures of the Slicer side's tests: a host with a fresh scene."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def host():
    """A just started application without its windows; skips visibly where slicer-core is missing."""
    from host import Host

    running = Host()
    yield running
    running.close()


@pytest.fixture
def scene(host):
    """The scene of a host, with nothing in it yet; closed at the end."""
    from LongitudinalALLib.Scene import Scene

    made = Scene()
    yield made
    made.release()


@pytest.fixture
def shownUnder(scene):
    """Show a pair, under a transform where its geometry says so."""

    def shown(pair, geometry):
        scene.show(pair)
        if geometry.underTransform:
            scene.setTransform(someTransform(scene.mrmlScene))
        return pair

    return shown


@pytest.fixture
def openPair(scene, tmp_path, shownUnder):
    """Open a pair in a named geometry, and show it."""
    from scene_pairs import GEOMETRIES, writePair

    def opened(name: str = "axial", *, classes=("change",), pairName: str = "pair1"):
        geometry = GEOMETRIES[name]
        folder = writePair(tmp_path / "project" / "pairs" / pairName, geometry)
        return shownUnder(scene.openPair(folder, geometry.axis, classes), geometry)

    return opened


def someTransform(mrmlScene):
    """Add a linear transform that turns and shifts."""
    import vtk

    turn = vtk.vtkTransform()
    turn.Translate(12, -7, 5)
    turn.RotateWXYZ(23, 0.3, 0.5, 0.8)
    node = mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Somewhere else")
    node.SetMatrixTransformToParent(turn.GetMatrix())
    return node
