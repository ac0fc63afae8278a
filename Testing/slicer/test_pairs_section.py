"""2 Pairs, pressed like a user would: what it sends, and what it shows."""

from __future__ import annotations

from typing import Any

import pytest
from section_host import Heard, isShown

from LongitudinalALLib.Sections.PairsSection import PairsSection, timeWords
from LongitudinalALLib.Sections.Rows import PairRow

PAIRS = [
    PairRow("p1", "anna", "prepared", "good", "overlap 0.97", 53, 14),
    PairRow("p2", "bert", "prepared", "look", "overlap 0.81", 66, 0),
    PairRow("p3", "carl", "failed", "failed", "one slice only"),
]


@pytest.fixture
def pairs() -> PairsSection:
    section = PairsSection(ask=lambda _title: "/pairs.csv", askFolder=lambda _title: "/scans")
    section.showPairs(PAIRS)
    return section


def test_pairs_are_listed(pairs: PairsSection) -> None:
    table = pairs.ui.pairsTable
    cells = [[table.item(i, j).text() for j in range(4)] for i in range(3)]
    assert cells == [
        ["anna", "p1", "14 of 53 labelled", "good"],
        ["bert", "p2", "0 of 66 labelled", "doubtful"],
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
    for name in ("addFolderButton", "addTableButton", "addSampleButton", "prepareButton", "cancelButton"):
        getattr(pairs.ui, name).click()
    assert heard.take() == [
        ("addFolderRequested", "/scans"),
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
    pairs.ui.useTransformButton.click()
    assert heard.take() == [
        ("overruleRequested", "p2", "good"),
        ("registerFromTransformRequested", "p2", transform.GetID()),
        ("useTransformRequested", "p2", transform.GetID()),
    ]
    pairs.setScene(None)


def test_a_pair_that_is_not_prepared_has_nothing_to_check(pairs: PairsSection) -> None:
    pairs.showPairs([PAIRS[0]._replace(state="added", verdict="", reason="")])
    pairs.ui.pairsTable.selectRow(0)
    assert not pairs.ui.checkBox.isEnabled()


def test_a_pair_that_failed_can_be_taken_back_and_corrected_but_not_looked_at(pairs: PairsSection) -> None:
    pairs.ui.checkBox.setCollapsed(False)
    heard = Heard(pairs)
    pairs.ui.pairsTable.selectRow(2)
    assert "one slice only" in pairs.ui.reasonLabel.text()
    for button in ("flickerButton", "checkerboardButton", "edgesButton"):
        assert not getattr(pairs.ui, button).isEnabled()
    for button in ("registerButton", "useTransformButton"):
        assert getattr(pairs.ui, button).isEnabled()
    heard.take()
    pairs.ui.goodButton.click()
    assert heard.take() == [("overruleRequested", "p3", "good")]
    pairs.ui.pairsTable.selectRow(0)
    assert pairs.ui.flickerButton.isEnabled()


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (600, "10 min")])
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert timeWords(seconds) == words
