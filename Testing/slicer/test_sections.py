"""The sections, pressed like a user would: what they send, and what they show."""

from __future__ import annotations

from typing import Any

import pytest
import stand_ins

from LongitudinalALLib.Sections.LabelSection import OVERLAYS, LabelSection
from LongitudinalALLib.Sections.LearningSection import LearningSection
from LongitudinalALLib.Sections.PairsSection import PairsSection, timeWords
from LongitudinalALLib.Sections.ProjectSection import ProjectSection
from LongitudinalALLib.Sections.ResultsSection import EXPORTS, ResultsSection
from LongitudinalALLib.Sections.Rows import ChangeRow, PairRow
from LongitudinalALLib.Signal import Signal

PAIRS = [
    PairRow("p1", "anna", "prepared", "good", "overlap 0.97", 53, 14),
    PairRow("p2", "bert", "prepared", "look", "overlap 0.81", 66, 0),
    PairRow("p3", "carl", "failed", "failed", "one slice only"),
]
CHANGES = [
    ChangeRow("p1", "new", 412.4, (-23.4, 18.0, 41.2), 12.44, "accepted"),
    ChangeRow("p1", "gone", 96.0, (31.0, -44.5, 22.0), 6.1),
]


class Heard(list):
    """Writes down what the signals of a section say."""

    def __init__(self, section: Any) -> None:
        for name, signal in vars(section).items():
            if isinstance(signal, Signal):
                signal.connect(lambda *values, name=name: self.append((name, *values)))

    def take(self) -> list[tuple[Any, ...]]:
        """Return what was said since the last time."""
        taken = list(self)
        self.clear()
        return taken


@pytest.fixture
def project() -> ProjectSection:
    return ProjectSection(ask=lambda _title: "/a folder")


@pytest.fixture
def pairs() -> PairsSection:
    section = PairsSection(ask=lambda _title: "/pairs.csv")
    section.showPairs(PAIRS)
    return section


@pytest.fixture
def label() -> LabelSection:
    return LabelSection()


@pytest.fixture
def results() -> ResultsSection:
    section = ResultsSection(ask=lambda _title: "/out")
    section.showChanges(CHANGES)
    return section


def isShown(widget: Any) -> bool:
    return not widget.isHidden()


def test_a_signal_tells_in_order_and_counts_its_values() -> None:
    signal, said = Signal("a", "b"), []
    signal.connect(lambda *values: said.append(("first", values)))
    second = lambda *values: said.append(("second", values))  # noqa: E731
    signal.connect(second)
    signal.emit(1, 2)
    signal.disconnect(second)
    signal.disconnect(second)
    signal.emit(3, 4)
    assert said == [("first", (1, 2)), ("second", (1, 2)), ("first", (3, 4))]
    with pytest.raises(TypeError):
        signal.emit(1)


# Project


def test_a_project_is_opened_and_made(project: ProjectSection) -> None:
    heard = Heard(project)
    project.ui.openButton.click()
    project.ui.createButton.click()
    project._ask = lambda _title: ""  # the user closes the question
    project.ui.openButton.click()
    assert heard.take() == [("openRequested", "/a folder"), ("createRequested", "/a folder")]


def test_missing_packages_are_named_and_installed_on_a_click(project: ProjectSection) -> None:
    assert not isShown(project.ui.missingBox)
    heard = Heard(project)
    project.showMissingPackages("torch is missing")
    assert isShown(project.ui.missingBox)
    project.ui.installButton.click()
    project.setInstalling(True)
    project.ui.installButton.click()
    project.showInstallLine("Collecting torch")
    assert heard.take() == [("installRequested",)]
    project.showMissingPackages(None)
    assert not isShown(project.ui.missingBox)
    assert project.ui.installButton.isEnabled()


def test_where_things_stand_and_what_went_wrong(project: ProjectSection) -> None:
    project.showProject("/a")
    project.showStanding("12 pairs")
    project.showError("the disk is full")
    assert [
        each.text() for each in (project.ui.folderLabel, project.ui.standingLabel, project.ui.errorLabel)
    ] == [
        "/a",
        "12 pairs",
        "the disk is full",
    ]
    project.showError(None)
    assert not isShown(project.ui.errorLabel)


# Pairs


def test_pairs_are_listed(pairs: PairsSection) -> None:
    table = pairs.ui.pairsTable
    cells = [[table.item(i, j).text() for j in range(4)] for i in range(3)]
    assert cells == [
        ["anna", "p1", "14 of 53 labelled", "good"],
        ["bert", "p2", "0 of 66 labelled", "look"],
        ["carl", "p3", "failed", "failed"],
    ]


def test_a_chosen_pair_stays_chosen_wherever_it_is_listed(pairs: PairsSection) -> None:
    heard = Heard(pairs)
    pairs.ui.pairsTable.selectRow(1)
    assert heard.take() == [("pairChosen", "p2")]
    assert "overlap 0.81" in pairs.ui.reasonLabel.text()
    pairs.showPairs(PAIRS[1:])
    assert pairs.chosenPair() == "p2"
    pairs.showPairs(PAIRS[:1])
    assert pairs.chosenPair() is None
    assert heard.take() == []


def test_two_volumes_of_the_scene_are_added(pairs: PairsSection, host: Any) -> None:
    import slicer

    heard = Heard(pairs)
    nodes = [host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name) for name in ("one", "two")]
    assert slicer.mrmlScene is host.scene
    pairs.setScene(host.scene)
    pairs.ui.addFromSceneButton.click()
    assert isShown(pairs.ui.fromSceneBox)
    pairs.ui.addButton.click()
    assert "both" in pairs.ui.messageLabel.text()
    for box in (pairs.ui.baselineBox, pairs.ui.followupBox):
        box.setCurrentNodeID(nodes[0].GetID())
    pairs.ui.addButton.click()
    assert "same volume" in pairs.ui.messageLabel.text()
    assert heard.take() == []
    pairs.ui.followupBox.setCurrentNodeID(nodes[1].GetID())
    pairs.ui.patientEdit.setText(" anna ")
    pairs.ui.addButton.click()
    assert heard.take() == [("addFromSceneRequested", nodes[0].GetID(), nodes[1].GetID(), "", "anna")]
    pairs.setScene(None)


def test_tables_samples_preparing_and_cancelling(pairs: PairsSection) -> None:
    heard = Heard(pairs)
    for name in ("addTableButton", "addSampleButton", "prepareButton", "cancelButton"):
        getattr(pairs.ui, name).click()
    assert heard.take() == [
        ("addTableRequested", "/pairs.csv"),
        ("addSampleDataRequested",),
        ("prepareRequested",),
        ("cancelRequested",),
    ]
    pairs.showProgress("registering p1", 0.424, 130.0)
    assert isShown(pairs.ui.progressBox)
    assert not isShown(pairs.ui.prepareButton)
    assert pairs.ui.progressBar.value() == 42
    assert pairs.ui.progressLabel.text() == "registering p1, about 2 min left"
    pairs.showProgress("", 7.0, None)
    assert pairs.ui.progressBar.value() == 100
    pairs.showIdle()
    assert not isShown(pairs.ui.progressBox)


def test_the_check_views_are_one_at_a_time_and_off_again(pairs: PairsSection) -> None:
    pairs.ui.pairsTable.selectRow(0)
    pairs.ui.checkBox.setCollapsed(False)
    heard = Heard(pairs)
    pairs.ui.flickerButton.click()
    pairs.ui.edgesButton.click()
    assert not pairs.ui.flickerButton.isChecked()
    pairs.ui.edgesButton.click()
    assert heard.take() == [
        ("checkViewRequested", "p1", "flicker"),
        ("checkViewRequested", "p1", "edges"),
        ("checkViewRequested", "p1", "off"),
    ]


def test_a_verdict_is_overruled_and_a_registration_begun_by_hand(pairs: PairsSection, host: Any) -> None:
    transform = host.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "by hand")
    pairs.setScene(host.scene)
    pairs.ui.pairsTable.selectRow(1)
    pairs.ui.checkBox.setCollapsed(False)
    heard = Heard(pairs)
    pairs.ui.goodButton.click()
    pairs.ui.registerButton.click()
    assert "Choose a transform" in pairs.ui.messageLabel.text()
    pairs.ui.transformBox.setCurrentNodeID(transform.GetID())
    pairs.ui.registerButton.click()
    assert heard.take() == [
        ("overruleRequested", "p2", "good"),
        ("registerFromTransformRequested", "p2", transform.GetID()),
    ]
    pairs.setScene(None)


def test_a_pair_that_is_not_prepared_has_nothing_to_check(pairs: PairsSection) -> None:
    pairs.ui.pairsTable.selectRow(2)
    assert not pairs.ui.checkBox.isEnabled()
    assert "one slice only" in pairs.ui.reasonLabel.text()


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (600, "10 min")])
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert timeWords(seconds) == words


# Label


def test_without_a_slice_pair_only_next_and_back_can_be_pressed(label: LabelSection) -> None:
    heard = Heard(label)
    for name in ("nextButton", "saveButton", "noChangeButton", "skipButton", "backButton"):
        label.press(name)
    assert heard.take() == [("nextRequested",), ("backRequested",)]


def test_with_one_all_can(label: LabelSection) -> None:
    label.showReason("uncertain here")
    label.showInHand("p1", 23, "3rd of 540")
    assert label.ui.inHandLabel.text() == "p1, slice 23   (3rd of 540)"
    assert label.ui.reasonLabel.text() == "uncertain here"
    heard = Heard(label)
    for name in ("nextButton", "saveButton", "noChangeButton", "skipButton", "backButton"):
        label.press(name)
    assert [each[0] for each in heard.take()] == [
        "nextRequested",
        "saveRequested",
        "noChangeRequested",
        "skipRequested",
        "backRequested",
    ]
    label.setBusy(True)
    label.press("saveButton")
    label.press("nextButton")
    assert heard.take() == []
    label.setBusy(False)
    label.showNothingLeft("540 labelled")
    label.press("saveButton")
    assert heard.take() == []
    assert label.ui.messageLabel.text() == "540 labelled"
    assert not isShown(label.ui.reasonLabel)


def test_a_suggestion_is_asked_for_before_it_is_shown(label: LabelSection) -> None:
    label.showInHand("p1", 1, "")
    heard = Heard(label)
    label.press("suggestionButton")
    label.press("suggestionButton")
    label.press("uncertaintyButton")
    assert heard.take() == [
        ("suggestionRequested",),
        ("overlayToggled", "suggestion", True),
        ("overlayToggled", "suggestion", False),
        ("overlayToggled", "uncertainty", True),
    ]
    label.showOverlays(["earlier"])
    assert [name for name, button in OVERLAYS.items() if getattr(label.ui, button).isChecked()] == ["earlier"]
    label.showNothingLeft("")
    assert not label.ui.earlierButton.isChecked()
    assert heard.take() == []


def test_several_painted_slices_are_all_offered(label: LabelSection) -> None:
    label.showPaintedSlices([23])
    assert label.ui.saveButton.text() == "Save and next"
    label.showPaintedSlices([24, 22, 23])
    assert label.ui.saveButton.text() == "Save 3 and next"
    assert "22, 23, 24" in label.ui.paintedLabel.text()


# Learning


def test_settings_are_told_once_when_they_change() -> None:
    learning = LearningSection()
    learning.showSettings({"python": "", "annotator": "anna", "brush": 3.0, "spacing": 5.0})
    heard = Heard(learning)
    learning.ui.annotatorEdit.editingFinished.emit()  # the focus left it, nothing has changed
    learning.ui.annotatorEdit.setText(" bert ")
    learning.ui.annotatorEdit.editingFinished.emit()
    learning.ui.annotatorEdit.editingFinished.emit()
    learning.ui.brushBox.setValue(4.5)
    learning.ui.brushBox.editingFinished.emit()
    assert heard.take() == [
        ("settingsChanged", {"python": "", "annotator": "bert", "brush": 3.0, "spacing": 5.0}),
        ("settingsChanged", {"python": "", "annotator": "bert", "brush": 4.5, "spacing": 5.0}),
    ]


def test_a_strategy_is_chosen_by_the_user_only() -> None:
    learning = LearningSection()
    heard = Heard(learning)
    learning.showStrategies(["hybrid", "entropy", "random"])
    learning.showStrategy("entropy")
    learning.showStrategies(["random", "entropy"])
    assert learning.ui.strategyBox.currentText() == "entropy"
    assert heard.take() == []
    learning.ui.strategyBox.setCurrentText("random")
    assert heard.take() == [("strategyChosen", "random")]


def test_the_worker_is_cancelled_and_restarted() -> None:
    learning = LearningSection()
    heard = Heard(learning)
    learning.ui.cancelButton.click()
    learning.setBusy(True)
    learning.ui.cancelButton.click()
    assert not isShown(learning.ui.restartButton)
    learning.setRestartable(True)
    learning.ui.restartButton.click()
    assert heard.take() == [("cancelRequested",), ("restartRequested",)]


def test_the_curve_is_drawn_in_slicers_own_plot_and_leaves_no_nodes(host: Any) -> None:
    from picture_panel import rounds

    from LongitudinalALLib.LearningCurve import LearningCurve

    before = host.scene.GetNumberOfNodes()
    curve = LearningCurve(host.scene)
    learning = LearningSection(curve)
    assert isShown(learning.ui.noCurveLabel)
    learning.showCurve(rounds())
    learning.showCurve(rounds())
    assert isShown(learning.ui.plotFrame)
    assert curve.widget.points() == [(8.0, 0.21), (16.0, 0.38), (24.0, 0.47), (32.0, 0.55), (40.0, 0.61)]
    assert host.scene.GetNumberOfNodes() == before + 6
    learning.showCurve([])
    assert host.scene.GetNumberOfNodes() == before
    learning.showCurve(rounds())
    host.scene.Clear(0)  # the user closes the scene
    learning.showCurve(rounds())
    learning.cleanup()
    assert not slicerPlots(host.scene)


def slicerPlots(scene: Any) -> list[str]:
    return [
        scene.GetNthNode(i).GetClassName()
        for i in range(scene.GetNumberOfNodes())
        if "Plot" in scene.GetNthNode(i).GetClassName()
    ]


# Results


def test_changes_are_listed_and_decided(results: ResultsSection) -> None:
    table = results.ui.changesTable
    assert [[table.item(i, j).text() for j in range(5)] for i in range(2)] == [
        ["new", "412", "12.4", "-23, 18, 41", "accepted"],
        ["gone", "96", "6.1", "31, -44, 22", "open"],
    ]
    heard = Heard(results)
    results.ui.acceptButton.click()
    assert heard.take() == []
    table.selectRow(1)
    for name in ("acceptButton", "correctButton", "rejectButton"):
        getattr(results.ui, name).click()
    assert heard.take() == [
        ("changeChosen", 1),
        ("acceptRequested", 1),
        ("correctRequested", 1),
        ("rejectRequested", 1),
    ]
    results.showChanges(CHANGES[:1])
    assert results.chosenChange() is None or results.chosenChange() == 0


def test_one_pair_or_all_are_predicted(results: ResultsSection) -> None:
    heard = Heard(results)
    results.ui.predictPairButton.click()
    results.ui.predictAllButton.click()
    results.setPair("p1")
    results.ui.predictPairButton.click()
    results.setBusy(True)
    results.ui.predictAllButton.click()
    assert heard.take() == [("predictRequested", None), ("predictRequested", "p1")]


@pytest.mark.parametrize("what", EXPORTS)
def test_everything_can_be_exported(results: ResultsSection, what: str) -> None:
    heard = Heard(results)
    results.ui.exportBox.setCurrentIndex(list(EXPORTS).index(what))
    results.ui.exportButton.click()
    assert heard.take() == [("exportRequested", what, "/out")]


@pytest.mark.parametrize(
    "make", [ProjectSection, PairsSection, LabelSection, LearningSection, ResultsSection]
)
def test_every_signal_and_setter_that_is_promised_is_there(make: Any) -> None:
    section = make()
    promised = (make.__doc__ or "").split("Signals")[1].split("Parameters")[0].split("Attributes")[0]
    import re

    names = set(re.findall(r"\b(\w+)\(", promised))
    assert len(names) > 3
    assert not {name for name in names if not hasattr(section, name)}
    section.cleanup()
    section.cleanup()
    stand_ins.letQtRun()
