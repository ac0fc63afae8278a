"""Prepared volumes: read as Slicer reads them, ahead of time or not, and refused when damaged."""

from __future__ import annotations

import numpy as np
import pytest
from host import slicer, vtk
from scene_pairs import GEOMETRIES, writePair, writeVolume

from longitudinal_al.errors import GeometryMismatch, NotReady, UnreadableImage
from LongitudinalALLib.SceneVolumes import readVolume


@pytest.mark.parametrize("name", GEOMETRIES)
def test_our_reader_agrees_with_slicers(host, tmp_path, name):
    folder = writePair(tmp_path / "pair", GEOMETRIES[name])
    node = slicer.modules.volumes.logic().AddArchetypeVolume(str(folder / "followup.nii.gz"), "Followup", 0)
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    volume = readVolume(folder / "followup.nii.gz")
    theirs, theirMatrix = slicer.util.arrayFromVolume(node), slicer.util.arrayFromVTKMatrix(matrix)
    if np.linalg.det(volume.ijkToRas) < 0:
        theirs = theirs[::-1]
        theirMatrix[:3, 3] += theirMatrix[:3, 2] * (len(theirs) - 1)
        theirMatrix[:3, 2] *= -1
    np.testing.assert_array_equal(volume.voxels, theirs)
    np.testing.assert_allclose(volume.ijkToRas, theirMatrix, atol=1e-5)


def test_a_place_given_as_quaternion_is_read_too(host, tmp_path):
    voxels = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)
    rotated = GEOMETRIES["oblique"].ijkToRas.copy()
    writeVolume(tmp_path / "volume.nii.gz", voxels, rotated, qform=True)
    volume = readVolume(tmp_path / "volume.nii.gz")
    np.testing.assert_array_equal(volume.voxels, voxels)
    np.testing.assert_allclose(volume.ijkToRas, rotated, atol=1e-4)


def test_read_ahead_pairs_open_the_same(scene, tmp_path):
    geometry = GEOMETRIES["axial"]
    folder = writePair(tmp_path / "pairs" / "p", geometry)
    scene.readAhead(folder)
    pair = scene.openPair(folder, geometry.axis)
    np.testing.assert_array_equal(
        slicer.util.arrayFromVolume(pair.followup), readVolume(folder / "followup.nii.gz").voxels
    )


def test_missing_damaged_and_mismatched_files_are_named(scene, tmp_path):
    geometry = GEOMETRIES["axial"]
    folder = tmp_path / "pairs" / "p"
    with pytest.raises(NotReady, match=r"baseline\.nii\.gz is missing: prepare the pair"):
        scene.openPair(folder, 0)
    writePair(folder, geometry)
    whole = (folder / "difference.nii.gz").read_bytes()
    (folder / "difference.nii.gz").write_bytes(whole[: len(whole) // 2])
    scene.readAhead(folder)
    with pytest.raises(UnreadableImage, match=r"difference\.nii\.gz cannot be read"):
        scene.openPair(folder, 0)
    writeVolume(folder / "difference.nii.gz", np.zeros((12, 48, 41), np.float32), geometry.ijkToRas)
    with pytest.raises(GeometryMismatch, match=r"prepared difference has \(12, 48, 41\) voxels"):
        scene.openPair(folder, 0)
    assert scene.pairs == []
