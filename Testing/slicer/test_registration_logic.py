from __future__ import annotations

import gzip
import struct
import subprocess

import numpy as np
import pytest
from logic_host import engine, engineEnvironment
from pairs_desk import desk, preparedOnce, projectFolder  # noqa: F401

from longitudinal_al.project.records import GivenRegistration, PairState, Verdict
from longitudinal_al.protocol import Verb


def test_a_pair_is_shown_and_checked_by_flicker(desk):  # noqa: F811
    pair = desk.section.last("showPairs")[0].id
    desk.section.pairChosen.emit(pair)
    assert desk.scene.shownPair.name == pair
    desk.section.checkViewRequested.emit(pair, "flicker")
    composite = desk.scene.views.compositeNode("followup")
    seen = []
    for _ in range(6):
        seen.append(composite.GetForegroundOpacity())
        desk.now.time += 0.6
        desk.study.tick()
    assert set(seen) == {0.0, 1.0}
    desk.section.checkViewRequested.emit(pair, "off")
    after = composite.GetForegroundOpacity()
    desk.now.time += 5
    desk.study.tick()
    assert composite.GetForegroundOpacity() == after


def test_a_check_view_ends_when_something_else_is_looked_at(desk):  # noqa: F811
    first, second = (row.id for row in desk.section.last("showPairs"))
    desk.section.checkViewRequested.emit(first, "checkerboard")
    assert desk.scene._check.nodes()
    desk.registration.endCheck()  # as the next slice pair is asked for
    assert not desk.scene._check.nodes()
    assert desk.section.shown["showCheckView"] == ["off"]
    desk.section.checkViewRequested.emit(first, "flicker")
    desk.section.pairChosen.emit(second)
    desk.study.tick()
    assert desk.section.shown["showCheckView"] == ["off", "off"]
    desk.now.time += 5
    desk.study.tick()


def test_the_annotator_s_verdict_stands_above_the_check(desk):  # noqa: F811
    pair = desk.section.last("showPairs")[0].id
    desk.section.overruleRequested.emit(pair, "failed")
    assert desk.study.project.pair(pair).verdict is Verdict.FAILED
    assert desk.section.last("showPairs")[0].state == "failed"
    assert "Anna" in desk.section.last("showPairs")[0].reason
    desk.section.overruleRequested.emit(pair, "good")
    assert desk.study.project.pair(pair).state is PairState.ADDED
    assert "prepared" in desk.section.last("showMessage")


def test_a_transform_of_the_baseline_corrects_the_registration(desk, host):  # noqa: F811
    import slicer
    import vtk

    from LongitudinalALLib.Logic.RegistrationByHand import readPose

    pair = desk.section.last("showPairs")[0].id
    node = slicer.vtkMRMLLinearTransformNode()
    host.scene.AddNode(node)
    turn = vtk.vtkTransform()
    turn.Translate(5, 0, 0)  # the baseline goes 5 mm to the patient's right
    turn.RotateZ(10)
    node.SetMatrixTransformToParent(turn.GetMatrix())
    desk.section.registerFromTransformRequested.emit(pair, node.GetID())
    assert "is not under" in desk.section.last("showMessage")
    assert desk.study.project.pair(pair).registration is None
    desk.section.pairChosen.emit(pair)
    desk.scene.shownPair.baseline.SetAndObserveTransformNodeID(node.GetID())
    present = readPose(desk.study.project.pair_folder(pair) / "transform.tfm")
    desk.section.registerFromTransformRequested.emit(pair, node.GetID())
    given = desk.study.project.pair(pair).registration
    assert given.refine
    assert desk.worker.newest(Verb.PREPARE)
    asked = len(desk.worker.asked)
    desk.section.useTransformRequested.emit(pair, node.GetID())
    asIs = desk.study.project.pair(pair).registration
    assert not asIs.refine
    assert asIs.matrix == pytest.approx(given.matrix)
    assert len(desk.worker.asked) == asked + 1
    assert "kept as the registration" in desk.section.last("showMessage")
    pose = np.array(given.matrix).reshape(4, 4)
    # A point of the shown baseline lies, once moved, where the new registration takes its value from.
    ras = np.array([12.0, -7.0, 30.0])
    moved = np.array(turn.TransformPoint(ras))
    lps = np.diag([-1.0, -1.0, 1.0])
    expected = present @ [*(lps @ ras), 1]
    assert pose @ [*(lps @ moved), 1] == pytest.approx(expected)


def test_a_corrected_pair_is_shown_as_it_is_prepared_anew_and_not_corrected_twice(desk, host):  # noqa: F811
    import slicer
    import vtk

    from LongitudinalALLib.Logic.RegistrationByHand import readPose
    from LongitudinalALLib.SceneVolumes import readVolume

    pair = desk.section.last("showPairs")[0].id
    desk.section.pairChosen.emit(pair)
    shown, folder = desk.scene.shownPair, desk.study.project.pair_folder(pair)
    node = slicer.vtkMRMLLinearTransformNode()
    host.scene.AddNode(node)
    shift = vtk.vtkTransform()
    shift.Translate(1.5, 0, 0)
    node.SetMatrixTransformToParent(shift.GetMatrix())
    shown.baseline.SetAndObserveTransformNodeID(node.GetID())
    desk.scene.writeSliceLabel(5, np.ones(shown.grid.sliceShape, np.uint8))
    before = readPose(folder / "transform.tfm")
    desk.section.useTransformRequested.emit(pair, node.GetID())
    prepareAgain(desk)
    desk.worker.answers(Verb.PREPARE, prepared=1, slice_pairs=1, failed_pairs=0, failures=[])
    desk.study.tick()
    after = readPose(folder / "transform.tfm")
    assert np.linalg.norm(after[:3, 3] - before[:3, 3]) == pytest.approx(1.5, abs=0.01)
    assert desk.scene.shownPair is shown
    for role in ("baseline", "followup", "difference"):
        voxels = slicer.util.arrayFromVolume(shown.node(role))
        assert np.array_equal(voxels, readVolume(folder / f"{role}.nii.gz").voxels)
    assert shown.baseline.GetTransformNodeID() is None
    assert desk.scene.readSliceLabel(5).all()
    desk.section.useTransformRequested.emit(pair, node.GetID())  # once more, as if nothing had happened
    assert "is not under" in desk.section.last("showMessage")
    given = np.array(desk.study.project.pair(pair).registration.matrix).reshape(4, 4)
    assert np.allclose(given, after)


def test_a_pair_prepared_anew_elsewhere_is_looked_at_again_before_it_is_corrected(desk, host):  # noqa: F811
    import slicer

    pair = desk.section.last("showPairs")[0].id
    desk.section.pairChosen.emit(pair)
    node = slicer.vtkMRMLLinearTransformNode()
    host.scene.AddNode(node)
    desk.scene.shownPair.baseline.SetAndObserveTransformNodeID(node.GetID())
    pose = GivenRegistration(tuple(np.eye(4).ravel().tolist()), refine=True)
    desk.study.project.set_registration(pair, pose, "Berta")
    prepareAgain(desk)
    desk.section.useTransformRequested.emit(pair, node.GetID())
    assert "prepared anew" in desk.section.last("showMessage")
    assert desk.study.project.pair(pair).registration == pose


def onOtherGrid(folder):
    """Take a slice off the prepared volumes, as if the scan had been replaced and prepared anew."""
    for role in ("baseline", "followup", "difference"):
        file = folder / f"{role}.nii.gz"
        image = bytearray(gzip.decompress(file.read_bytes()))
        (slices,) = struct.unpack_from("<h", image, 46)
        struct.pack_into("<h", image, 46, slices - 1)
        file.write_bytes(gzip.compress(bytes(image)))
    record = folder / "prepared.json"
    record.write_text(record.read_text(encoding="utf-8") + " ", encoding="utf-8")
    return slices - 1


@pytest.mark.parametrize("isShown", [True, False])
def test_a_pair_that_was_prepared_on_another_grid_is_opened_afresh(desk, isShown):  # noqa: F811
    first, second = (row.id for row in desk.section.last("showPairs"))
    desk.section.pairChosen.emit(first)
    if not isShown:
        desk.section.pairChosen.emit(second)
    slices = onOtherGrid(desk.study.project.pair_folder(first))
    desk.section.checkViewRequested.emit(second, "edges")
    assert desk.scene._check.nodes()
    desk.section.pairChosen.emit(first)
    assert desk.scene.shownPair.name == first
    assert desk.scene.shownPair.grid.shape[0] == slices
    assert len(desk.scene.pairs) == 2


def test_a_pair_set_aside_by_mistake_is_shown_and_taken_back(desk):  # noqa: F811
    first, second = (row.id for row in desk.section.last("showPairs"))
    desk.section.overruleRequested.emit(first, "failed")
    desk.section.pairChosen.emit(second)
    desk.section.pairChosen.emit(first)
    assert desk.scene.shownPair.name == first
    desk.section.overruleRequested.emit(first, "good")
    prepareAgain(desk)
    assert desk.study.project.pair(first).state is PairState.PREPARED


def prepareAgain(desk):  # noqa: F811
    """Prepare what has changed, by the engine itself."""
    words = [engine(), "-m", "longitudinal_al", "prepare", str(desk.study.project.folder)]
    done = subprocess.run(words, env=engineEnvironment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_transform_that_bends_space_is_refused(desk, host):  # noqa: F811
    import slicer

    node = slicer.vtkMRMLBSplineTransformNode()
    host.scene.AddNode(node)
    import vtk

    thin = vtk.vtkThinPlateSplineTransform()
    points = vtk.vtkPoints()
    moved = vtk.vtkPoints()
    for k, point in enumerate([(0, 0, 0), (10, 0, 0), (0, 10, 0), (0, 0, 10), (10, 10, 10)]):
        points.InsertNextPoint(point)
        moved.InsertNextPoint(point[0], point[1], point[2] + k)
    thin.SetSourceLandmarks(points)
    thin.SetTargetLandmarks(moved)
    thin.SetBasisToR()
    node.SetAndObserveTransformToParent(thin)
    pair = desk.section.last("showPairs")[0].id
    desk.section.registerFromTransformRequested.emit(pair, node.GetID())
    assert "bends" in desk.section.last("showMessage")
    assert desk.study.project.pair(pair).registration is None
