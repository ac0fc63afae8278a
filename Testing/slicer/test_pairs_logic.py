from __future__ import annotations

import numpy as np
import pytest
from logic_host import PlainSection
from pairs_desk import desk, empty, preparedOnce, projectFolder  # noqa: F401

from longitudinal_al.project.records import Pair, PairState
from longitudinal_al.protocol import Event, EventKind, Verb


def addVolume(host, name, seed, spacing=(1.0, 1.5, 4.0)):
    import slicer.util

    voxels = np.random.default_rng(seed).normal(100, 20, (6, 20, 16)).astype(np.float32)
    node = slicer.util.addVolumeFromArray(voxels, name=name)
    node.SetSpacing(*spacing)
    node.SetOrigin(-10, 20, 30)
    return node, voxels


def test_the_pairs_are_listed_as_the_project_has_them(desk):  # noqa: F811
    rows = desk.section.last("showPairs")
    assert [row.state for row in rows] == ["prepared", "prepared"]
    assert all(row.slicePairs > 10 and row.labelled == 0 for row in rows)
    assert all(row.verdict in ("good", "look") for row in rows)


def test_volumes_of_the_scene_become_a_pair_with_files_of_its_own(empty, host):  # noqa: F811
    import slicer

    first, voxels = addVolume(host, "T0", 1)
    second, _ = addVolume(host, "T1", 2)
    transform = slicer.vtkMRMLLinearTransformNode()
    host.scene.AddNode(transform)
    first.SetAndObserveTransformNodeID(transform.GetID())
    before = host.scene.GetNumberOfNodes()
    empty.section.addFromSceneRequested.emit(first.GetID(), second.GetID(), "", "")
    assert host.scene.GetNumberOfNodes() == before
    (pair,) = empty.study.project.pairs()
    assert (pair.id, pair.patient, pair.state) == ("pair1", "pair1", PairState.ADDED)
    assert empty.section.last("showMessage") == "1 added."
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(pair.baseline))
    back = slicer.vtkMRMLScalarVolumeNode()
    assert storage.ReadData(back)
    assert np.array_equal(slicer.util.arrayFromVolume(back), voxels)
    assert back.GetSpacing() == pytest.approx(first.GetSpacing())
    assert back.GetOrigin() == pytest.approx(first.GetOrigin())


def test_what_is_no_scan_is_refused_by_name(empty, host):  # noqa: F811
    import slicer

    scan, _ = addVolume(host, "T0", 1)
    bare = slicer.vtkMRMLScalarVolumeNode()
    bare.SetName("nothing in it")
    host.scene.AddNode(bare)
    empty.section.addFromSceneRequested.emit(scan.GetID(), bare.GetID(), "p", "P")
    assert "nothing in it" in empty.section.last("showMessage")
    assert empty.study.project.pairs() == []
    empty.section.addFromSceneRequested.emit(scan.GetID(), "vtkMRMLScalarVolumeNode999", "p", "P")
    assert "no longer in the scene" in empty.section.last("showMessage")


def test_a_name_that_is_taken_writes_nothing(desk, host):  # noqa: F811
    first, _ = addVolume(host, "T0", 1)
    second, _ = addVolume(host, "T1", 2)
    taken = desk.study.project.pairs()[0].id
    desk.section.addFromSceneRequested.emit(first.GetID(), second.GetID(), taken.upper(), "P")
    assert "already" in desk.section.last("showMessage")
    assert not (desk.study.project.folder / "scans").exists()


@pytest.mark.parametrize("name", ["../../outside", "scans/inner", "CON", "."])
def test_a_name_that_is_no_folder_s_name_writes_nothing(empty, host, name):  # noqa: F811
    first, _ = addVolume(host, "T0", 1)
    second, _ = addVolume(host, "T1", 2)
    folder = empty.study.project.folder
    before = sorted(folder.parent.rglob("*"))
    empty.section.addFromSceneRequested.emit(first.GetID(), second.GetID(), name, "P")
    assert f"pair '{name}'" in empty.section.last("showMessage")
    assert sorted(folder.parent.rglob("*")) == before


def test_a_table_is_added_whole_and_a_bad_one_said(empty, preparedOnce, tmp_path):  # noqa: F811
    empty.section.addTableRequested.emit(str(preparedOnce.parent / "cohort" / "pairs.csv"))
    assert len(empty.section.last("showPairs")) == 2
    assert empty.section.last("showMessage") == "2 added."
    bad = tmp_path / "bad.csv"
    bad.write_text("pair,patient\n")
    empty.section.addTableRequested.emit(str(bad))
    assert "baseline" in empty.section.last("showMessage")


def test_a_folder_of_scans_becomes_pairs_and_says_which_is_the_baseline(empty, preparedOnce, tmp_path):  # noqa: F811
    empty.section.addFolderRequested.emit(str(preparedOnce.parent / "cohort"))  # it holds a table
    assert len(empty.section.last("showPairs")) == 2
    scans = sorted((preparedOnce.parent / "cohort").glob("p1-*.nii.gz"))
    for folder, names in (("Zoë 1", ("study1", "study2")), ("two", ("post", "pre")), ("three", "abc")):
        (tmp_path / "scans" / folder).mkdir(parents=True)
        for scan, name in zip([*scans, scans[0]], names, strict=False):
            (tmp_path / "scans" / folder / f"{name}.nii.gz").write_bytes(scan.read_bytes())
    empty.section.addFolderRequested.emit(str(tmp_path / "scans"))
    found = {pair.id: pair for pair in empty.study.project.pairs()}
    assert set(found) == {"synth1", "synth2", "Zo_1", "two"}
    assert found["Zo_1"].patient == "Zoë 1"
    said = empty.section.last("showMessage")
    assert said.startswith("2 added. ")
    assert "two: baseline pre.nii.gz, follow-up post.nii.gz" in said
    assert "three was passed over: 3 scans, expected 2" in said
    assert "Zo_1: baseline study1.nii.gz, follow-up study2.nii.gz" in said


def test_a_folder_without_scans_says_what_it_takes(empty, tmp_path):  # noqa: F811
    empty.section.addFolderRequested.emit(str(tmp_path))
    assert "give each patient a folder with two scans" in empty.section.last("showMessage")


def test_the_sample_data_are_fetched_and_added(empty, tmp_path):  # noqa: F811
    for name in ("a", "b"):
        (tmp_path / name).write_text("scan")
    empty.samples.append(Pair("patient01", "patient01", tmp_path / "a", tmp_path / "b"))
    empty.section.addSampleDataRequested.emit()
    assert [row.id for row in empty.section.last("showPairs")] == ["patient01"]


def test_preparing_shows_how_far_it_is_can_be_called_off_and_says_what_failed(desk):  # noqa: F811
    desk.section.prepareRequested.emit()
    asked, _ = desk.worker.newest(Verb.PREPARE)
    told = {"phase": "p1", "current": 25.0, "maximum": 100, "seconds_left": 9.0}
    desk.worker.events.append(Event(EventKind.PROGRESS, asked, told))
    desk.study.tick()
    assert desk.section.last("showProgress") == ("p1", 0.25, 9.0)
    desk.section.cancelRequested.emit()
    assert desk.worker.newest(Verb.CANCEL)[1] == {"request": asked}
    desk.worker.events.append(Event(EventKind.CANCELLED, asked))
    desk.study.tick()
    assert "stay prepared" in desk.section.last("showMessage")
    desk.section.prepareRequested.emit()
    failures = [{"pair": "p2", "reason": "no scan"}]
    desk.worker.answers(Verb.PREPARE, prepared=1, slice_pairs=1, failed_pairs=1, failures=failures)
    idle = len(desk.section.shown["showIdle"])
    desk.study.tick()
    assert len(desk.section.shown["showIdle"]) == idle + 1
    assert "p2 failed: no scan" in desk.section.last("showMessage")


def test_without_a_worker_preparing_says_why(host, projectFolder):  # noqa: F811
    from longitudinal_al.errors import NotReady
    from LongitudinalALLib.Logic.PairsLogic import PairsLogic
    from LongitudinalALLib.Logic.Study import Study
    from LongitudinalALLib.Scene import Scene

    def none(folder, strategy):
        raise NotReady("torch is missing: install it")

    section, scene = PlainSection("pairs"), Scene()
    study = Study(none)
    PairsLogic(section, study, scene)
    study.open(projectFolder)
    section.prepareRequested.emit()
    assert section.last("showMessage") == "torch is missing: install it"
    study.close()
    scene.release()


def test_closing_empties_the_list_and_the_buttons_go_out(desk):  # noqa: F811
    desk.study.close()
    assert desk.section.last("showPairs") == []
    assert desk.section.last("setProjectOpen") is False
