from __future__ import annotations

import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
from logic_host import (  # noqa: F401
    PlainSection,
    ScriptedWorker,
    engine,
    engineEnvironment,
    preparedOnce,
    projectFolder,
    waitFor,
)

from longitudinal_al.project.records import Decision
from longitudinal_al.protocol import Event, EventKind, Verb

PREDICTION = """
import sys
from pathlib import Path
import numpy as np
import SimpleITK as sitk
from longitudinal_al.network.change_list import NUMBERS_FILE, find_changes, write_changes
project, pair = Path(sys.argv[1]), sys.argv[2]
grid = sitk.ReadImage(str(project / "pairs" / pair / "foreground.nii.gz"))
voxels = np.zeros(grid.GetSize()[::-1], np.uint8)
voxels[8:10, 60:66, 60:65] = 1
voxels[14, 40:43, 50:54] = 1
mask = sitk.GetImageFromArray(voxels)
mask.CopyInformation(grid)
folder = project / "predictions" / pair
changes, numbers = find_changes(mask, ("change",), 0)
write_changes(folder, pair, changes)
sitk.WriteImage(mask, str(folder / "change.nii.gz"))
sitk.WriteImage(numbers, str(folder / NUMBERS_FILE))
"""


@pytest.fixture
def desk(host, projectFolder):  # noqa: F811
    from LongitudinalALLib.Logic.Commands import Commands
    from LongitudinalALLib.Logic.ResultsLogic import ResultsLogic
    from LongitudinalALLib.Logic.Study import Study
    from LongitudinalALLib.Scene import Scene

    worker, section, scene = ScriptedWorker(), PlainSection("results"), Scene()
    study = Study(lambda folder, strategy: worker)
    commands = Commands(study, engine, engineEnvironment)
    logic = ResultsLogic(section, study, scene, commands.run)
    study.open(projectFolder)
    yield SimpleNamespace(worker=worker, section=section, scene=scene, study=study, logic=logic)
    study.close()
    scene.release()


@pytest.fixture(scope="module")
def predictionOnce(preparedOnce, tmp_path_factory):  # noqa: F811
    """Files of a prediction of the first pair with two changes, as the worker writes them."""
    project = shutil.copytree(preparedOnce, tmp_path_factory.mktemp("predicted") / "project")
    words = [engine(), "-c", PREDICTION, str(project), "synth1"]
    subprocess.run(words, env=engineEnvironment(), check=True)
    return project / "predictions"


@pytest.fixture
def predicted(desk, predictionOnce):
    """Two changes of the first pair, as the worker lists them."""
    pair = desk.study.project.pairs()[0].id
    desk.section.predictRequested.emit(pair)
    assert desk.worker.newest(Verb.PREDICT)[1] == {"pair": pair}
    shutil.copytree(predictionOnce, desk.study.project.folder / "predictions")
    desk.worker.answers(Verb.PREDICT, files=[])
    desk.study.tick()
    desk.pair = pair
    return desk


def test_changes_are_listed_the_largest_first(predicted):
    rows = predicted.section.last("showChanges")
    assert predicted.section.last("showMessage") == "2 changes found."
    assert [row.volume for row in rows] == sorted((row.volume for row in rows), reverse=True)
    assert {row.pair for row in rows} == {predicted.pair}
    assert [row.decision for row in rows] == ["", ""]
    assert predicted.section.last("setBusy") is False


def test_a_change_that_is_chosen_is_shown_where_it_lies(predicted):
    for index, slices in ((0, {8, 9}), (1, {14})):
        predicted.section.changeChosen.emit(index)
        k = predicted.scene.shownSlice()
        assert k in slices
        assert predicted.scene.predictedSlice(k).any()
    predicted.section.changeChosen.emit(7)
    assert "no longer listed" in predicted.section.last("showMessage")


def test_decisions_are_kept_in_the_project_and_seen_in_the_scene(predicted):
    predicted.section.changeChosen.emit(1)
    predicted.section.acceptRequested.emit(1)
    predicted.section.rejectRequested.emit(0)
    assert [row.decision for row in predicted.section.last("showChanges")] == ["rejected", "accepted"]
    assert sorted(predicted.study.project.decisions(predicted.pair).values()) == ["accepted", "rejected"]
    table = predicted.scene._results.table
    assert [table.GetCellText(row, 6) for row in (0, 1)] == ["rejected", "accepted"]


def test_a_decision_stays_when_another_pair_was_shown_meanwhile(predicted):
    predicted.section.changeChosen.emit(0)
    predicted.section.rejectRequested.emit(0)
    other = predicted.study.project.pairs()[1].id
    grid = predicted.study.project
    folder = grid.pair_folder(other)
    predicted.scene.show(predicted.scene.openPair(folder, 0, grid.classes))
    predicted.study.tick()
    assert predicted.section.last("setPair") == other
    predicted.section.changeChosen.emit(0)
    assert predicted.scene._results.table.GetCellText(0, 6) == "rejected"


def test_a_change_to_be_drawn_anew_is_handed_over(predicted):
    asked = []
    predicted.logic.correctionRequested.connect(lambda pair, k: asked.append((pair, k)))
    predicted.section.correctRequested.emit(1)
    assert asked == [(predicted.pair, 14)]
    assert list(predicted.study.project.decisions(predicted.pair).values()) == [Decision.CORRECTED]


def test_a_prediction_says_how_far_it_is_and_why_it_failed(desk):
    desk.section.predictRequested.emit(None)
    asked = desk.worker.newest(Verb.PREDICT)[0]
    told = {"phase": "predicting", "current": 1.0, "maximum": 4, "seconds_left": None}
    desk.worker.events.append(Event(EventKind.PROGRESS, asked, told))
    desk.study.tick()
    assert desk.section.last("showMessage") == "Predicting ... 25 %"
    assert desk.section.last("setBusy") is True
    desk.worker.events.append(Event(EventKind.FAILED, asked, {"message": "there is no model yet"}))
    desk.study.tick()
    assert desk.section.last("showMessage") == "there is no model yet"
    assert desk.section.last("setBusy") is False


def test_an_export_runs_beside_and_tells_where_it_is(predicted, tmp_path, host):
    import slicer
    from vtk.util.numpy_support import vtk_to_numpy

    predicted.section.rejectRequested.emit(0)
    out = tmp_path / "für mich"
    predicted.section.exportRequested.emit("predictions", str(out))
    assert predicted.section.last("setBusy") is True
    waitFor(predicted.study, lambda: predicted.section.last("setBusy") is False)
    assert predicted.section.last("showMessage") == f"Exported to {out}."
    storage = slicer.vtkMRMLSegmentationStorageNode()
    node = slicer.vtkMRMLSegmentationNode()
    host.scene.AddNode(node)
    storage.SetFileName(str(out / predicted.pair / "change.seg.nrrd"))
    assert storage.ReadData(node)
    segment = node.GetSegmentation().GetNthSegment(0)
    assert segment.GetName() == "change"
    tag = slicer.vtkSegment.GetTerminologyEntryTagName()
    entry = slicer.vtkSlicerTerminologyEntry()
    assert host.logic("terminologies").DeserializeTerminologyEntry(_tag(segment, tag), entry)
    assert entry.GetTypeObject().GetCodeValue() == "52988006"
    image = segment.GetRepresentation("Binary labelmap")
    assert vtk_to_numpy(image.GetPointData().GetScalars()).sum() == 12
    host.scene.RemoveNode(node)


def _tag(segment, name):
    import vtk

    value = vtk.reference("")
    assert segment.GetTag(name, value)
    return str(value)


def test_an_export_of_nothing_says_what_is_missing(desk, tmp_path):
    desk.section.exportRequested.emit("csv", str(tmp_path))
    waitFor(desk.study, lambda: desk.section.last("setBusy") is False)
    assert "nothing is labelled yet" in desk.section.last("showMessage")


def test_what_runs_is_ended_with_the_project(desk, tmp_path):
    desk.section.exportRequested.emit("csv", str(tmp_path))
    process = desk.logic._runCommand.__self__._running[0].process
    desk.study.close()
    assert process.poll() is not None
    assert np.size(desk.section.last("showChanges")) == 0
