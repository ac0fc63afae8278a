"""The panel and its wiring on stand-ins: life cycle, keys, the embedded editor, and its picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import stand_ins  # first: it skips where Qt or slicer-core is missing
from PySide6 import QtCore, QtGui, QtWidgets

from longitudinal_al.errors import NotReady
from longitudinal_al.project.store import Project
from LongitudinalALLib.Editor import Editor
from LongitudinalALLib.Keys import LABEL_KEYS
from LongitudinalALLib.Panel import Panel
from LongitudinalALLib.Settings import DEFAULTS, Settings
from LongitudinalALLib.Wiring import Wiring

NODES = ("vtkMRMLSegmentationNode", "vtkMRMLScalarVolumeNode")


class NothingMissing:
    """Requirements that are all met."""

    def missing(self) -> None:
        return None


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(QtCore.QSettings(str(tmp_path / "settings.ini"), QtCore.QSettings.Format.IniFormat))


@pytest.fixture
def panel(host: Any) -> Any:
    made = Panel(host.scene)
    yield made
    made.cleanup()


@pytest.fixture
def wiring(host: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module at work, with a worker that cannot be started: everything else goes on."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("LONGITUDINALAL_PYTHON", raising=False)
    made = Wiring(host.scene, settings, NothingMissing())
    yield made
    made.cleanup()


def shortcuts() -> list[str]:
    stand_ins.letQtRun()
    QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
    found = stand_ins.slicer.util.mainWindow().findChildren(QtGui.QShortcut)
    return sorted(each.key().toString() for each in found)


def test_the_sections_are_in_the_order_of_the_work(panel: Panel) -> None:
    titles = [section.ui.sectionButton.getText() for section in panel.sections()]
    assert titles == ["1  Project", "2  Pairs", "3  Label", "4  Learning", "5  Results"]


def test_without_a_project_only_a_project_can_be_chosen(panel: Panel) -> None:
    assert panel.project.ui.openButton.isEnabled()
    assert not panel.pairs.ui.addTableButton.isEnabled()
    assert not panel.label.ui.nextButton.isEnabled()
    panel.setProjectOpen(True)
    assert panel.pairs.ui.addTableButton.isEnabled()
    assert panel.label.ui.nextButton.isEnabled()


def test_keys_are_there_while_the_module_is_shown(panel: Panel) -> None:
    assert shortcuts() == []
    panel.enter()
    panel.enter()
    assert shortcuts() == sorted(LABEL_KEYS)
    panel.exit()
    assert shortcuts() == []
    panel.enter()
    panel.cleanup()
    assert shortcuts() == []


def test_a_key_presses_its_button(panel: Panel) -> None:
    panel.setProjectOpen(True)
    panel.label.showInHand("p1", 3, "")
    said: list[str] = []
    panel.label.saveRequested.connect(lambda: said.append("save"))
    panel.label.overlayToggled.connect(lambda name, isOn: said.append(f"{name} {isOn}"))
    panel.enter()
    for key in ("Ctrl+Return", "Ctrl+U"):
        found = [
            each
            for each in stand_ins.slicer.util.mainWindow().findChildren(QtGui.QShortcut)
            if each.key().toString() == key
        ]
        found[0].activated.emit()
    panel.exit()
    assert said == ["save", "uncertainty True"]


def test_the_editor_is_told_in_the_order_that_slicer_asks_for(host: Any) -> None:
    before = host.scene.GetNumberOfNodes()
    editor = Editor(host.scene)
    segmentation, volume = (host.scene.AddNewNodeByClass(name) for name in NODES)
    editor.enter()
    editor.show(segmentation, volume, "change")
    told = editor.widget.told()
    steps = ["setMRMLScene", "setMRMLSegmentEditorNode", "setSegmentationNode", "setSourceVolumeNode"]
    places = [told.index(step) for step in [*steps, "setCurrentSegmentID", "setActiveEffectByName"]]
    assert places == sorted(places)
    assert ("setSpecifyGeometryButtonVisible", False) in editor.widget.calls
    assert ("setAutoShowSourceVolumeNode", False) in editor.widget.calls
    brush = editor.widget.effect.parameters
    assert brush == {"BrushDiameterIsRelative": 0, "BrushAbsoluteDiameter": 3.0, "BrushSphere": 0}
    editor.setBrush(4.5)
    assert brush["BrushAbsoluteDiameter"] == 4.5
    widget = editor.widget
    editor.cleanup()
    ends = ["uninstallKeyboardShortcuts", "removeViewObservations"]
    assert [widget.told().count(each) for each in ends] == [1, 1]
    assert widget.calls[-1] == ("setMRMLScene", None)
    assert host.scene.GetNumberOfNodes() == before + 2


def test_the_editor_survives_that_its_node_goes_with_the_scene(host: Any) -> None:
    editor = Editor(host.scene)
    for _ in range(2):
        segmentation, volume = (host.scene.AddNewNodeByClass(name) for name in NODES)
        editor.show(segmentation, volume, "change")
        host.scene.Clear(0)
    editor.release()
    editor.cleanup()
    editor.cleanup()


def test_settings_are_kept_with_their_types(settings: Settings) -> None:
    assert settings.all() == DEFAULTS
    settings.setValue("brush", 4)
    settings.setValue("annotator", "zoë")
    assert settings.value("brush") == 4.0
    assert settings.value("annotator") == "zoë"
    settings._store.setValue("LongitudinalAL/spacing", "wide")
    assert settings.value("spacing") == DEFAULTS["spacing"]


def test_a_project_is_made_shown_and_found_again(wiring: Wiring, settings: Settings, tmp_path: Path) -> None:
    wiring.enter()
    wiring.panel.project.createRequested.emit(str(tmp_path / "prøject"))
    assert wiring.panel.project.ui.standingLabel.text().startswith("0 pairs, 0 slice pairs, 0 labelled")
    assert wiring.panel.pairs.ui.addTableButton.isEnabled()
    assert "PythonSlicer was not found" in wiring.panel.project.ui.errorLabel.text()
    assert settings.value("project") == str(tmp_path / "prøject")
    wiring.study.close()
    assert not wiring.panel.label.ui.nextButton.isEnabled()


def test_a_worker_is_given_strategy_and_spacing(
    wiring: Wiring, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings under Advanced reach it; the worker itself is a stand-in that only notes them."""
    from LongitudinalALLib import Wiring as module

    begun: list[dict[str, Any]] = []

    def workerOf(folder: Path, interpreter: Any, **given: Any) -> Any:
        begun.append(given)
        raise NotReady("a stand-in")

    monkeypatch.setattr(module, "workerOf", workerOf)
    monkeypatch.setattr(wiring._python, "begin", lambda: "a Python")
    wiring.enter()
    wiring.panel.project.createRequested.emit(str(tmp_path / "one"))
    wiring.panel.learning.ui.spacingBox.setValue(8.5)
    wiring.panel.learning.ui.spacingBox.editingFinished.emit()
    wiring.panel.learning.ui.strategyBox.setCurrentText("entropy")
    for _ in range(3):
        wiring.study.tick()
    assert begun[0] == {"strategy": None, "spacing": 5.0}
    assert begun[-1] == {"strategy": "entropy", "spacing": 8.5}
    assert (settings.value("strategy"), settings.value("spacing")) == ("entropy", 8.5)


def test_the_last_project_opens_again(host: Any, settings: Settings, tmp_path: Path) -> None:
    Project.create(tmp_path / "last").close()
    settings.setValue("project", str(tmp_path / "last"))
    wiring = Wiring(host.scene, settings, NothingMissing())
    assert not wiring.study.isOpen  # nothing happens before the module is shown
    wiring.enter()
    assert wiring.study.isOpen
    wiring.cleanup()
    assert not wiring.study.isOpen


def test_a_last_project_out_of_reach_keeps_nothing_else_from_beginning(
    wiring: Wiring, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def isDir(path: Path) -> bool:
        raise OSError(5, "Access is denied", str(path))

    settings.setValue("project", str(tmp_path / "share"))
    settings.setValue("python", str(tmp_path / "python"))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "is_dir", isDir)
        wiring.enter()
    assert "share cannot be reached (Access is denied)" in wiring.panel.project.ui.errorLabel.text()
    verdict = wiring.panel.learning.ui.pythonVerdictLabel.text()
    assert verdict == f"There is no file {tmp_path / 'python'}."


def test_what_was_wired_leaves_nothing_behind(host: Any, settings: Settings, tmp_path: Path) -> None:
    before = host.scene.GetNumberOfNodes()
    for _ in range(2):  # as by "Reload"
        alive = len(QtWidgets.QApplication.topLevelWidgets())
        wiring = Wiring(host.scene, settings, NothingMissing())
        wiring.enter()
        wiring.panel.project.openRequested.emit(str(tmp_path / "no project"))
        assert wiring.panel.project.ui.errorLabel.text()
        wiring.exit()
        wiring.cleanup()
        stand_ins.letQtRun()
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
        assert len(QtWidgets.QApplication.topLevelWidgets()) <= alive
        assert host.scene.GetNumberOfNodes() == before
    assert shortcuts() == []


def test_another_python_is_checked_and_its_verdict_shown(
    wiring: Wiring, settings: Settings, tmp_path: Path
) -> None:
    label = wiring.panel.learning.ui.pythonVerdictLabel
    settings.setValue("python", str(tmp_path / "python"))
    wiring.checkInterpreter()
    assert label.text() == f"There is no file {tmp_path / 'python'}."
    settings.setValue("python", sys.executable)
    wiring.checkInterpreter()
    for _ in range(2000):
        if label.text().startswith("Python"):
            break
        stand_ins.letQtRun()
        QtCore.QThread.msleep(10)
    assert label.text().startswith(f"Python {sys.version_info.major}.{sys.version_info.minor}")


def test_the_picture_of_the_panel_shows_all_of_it(tmp_path: Path) -> None:
    from picture_panel import PARTS, WIDTH, draw

    draw(tmp_path)
    parts = [QtGui.QImage(str(tmp_path / f"panel-{name}.png")) for name in PARTS]
    picture = QtGui.QImage(str(tmp_path / "panel-stand-in.png"))
    assert 0.95 * picture.height() < sum(each.height() for each in parts) <= picture.height()
    assert picture.width() == WIDTH
    assert picture.height() > 1200
    rows = range(0, picture.height(), 3)
    colours = {picture.pixel(x, y) for y in rows for x in range(0, WIDTH, 3)}
    assert len(colours) > 100


@pytest.fixture
def moduleWidget(host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module's widget as Slicer makes it, with settings of its own."""
    import LongitudinalAL
    from LongitudinalALLib import Settings as settingsModule
    from LongitudinalALLib import Wiring as wiringModule

    file = str(tmp_path / "settings.ini")
    monkeypatch.setattr(
        settingsModule.qt,
        "QSettings",
        lambda: QtCore.QSettings(file, QtCore.QSettings.Format.IniFormat),
        raising=False,
    )
    monkeypatch.setattr(wiringModule, "Requirements", NothingMissing)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("LONGITUDINALAL_PYTHON", raising=False)
    parent = QtWidgets.QWidget()
    QtWidgets.QVBoxLayout(parent)
    widget = LongitudinalAL.LongitudinalALWidget(parent)
    widget.setup()
    yield widget
    widget.cleanup()


def test_the_scene_knows_its_project_and_finds_it_again(moduleWidget: Any, host: Any, tmp_path: Path) -> None:
    folder = str(tmp_path / "study")
    moduleWidget.enter()
    moduleWidget.wiring.panel.project.createRequested.emit(folder)
    assert moduleWidget.logic.parameters().projectFolder == folder
    host.scene.Clear(0)  # the user closes the scene: the project stays open, and is noted in the new one
    assert moduleWidget.wiring.study.isOpen
    assert moduleWidget.logic.parameters().projectFolder == folder
    scene = str(tmp_path / "scene.mrml")
    host.scene.SetURL(scene)
    assert host.scene.Commit(scene)
    moduleWidget.wiring.study.close()
    host.scene.Clear(0)
    assert moduleWidget.logic.parameters().projectFolder == ""
    host.scene.SetURL(scene)
    host.scene.Connect()  # the user loads it
    assert moduleWidget.wiring.study.isOpen
    assert str(moduleWidget.wiring.study.project.folder) == folder


def test_a_module_that_is_reloaded_leaves_no_observers(moduleWidget: Any, host: Any) -> None:
    moduleWidget.enter()
    moduleWidget.exit()
    moduleWidget.cleanup()
    assert moduleWidget.wiring is None
    host.scene.Clear(0)  # would raise in what was left behind
    moduleWidget.cleanup()
