"""3 Label, pressed like a user would: what it sends, and what it shows."""

from __future__ import annotations

import pytest
from section_host import Heard, isShown

from LongitudinalALLib.Sections.LabelSection import OVERLAYS, LabelSection


@pytest.fixture
def label() -> LabelSection:
    return LabelSection()


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


def test_a_label_that_is_there_can_be_withdrawn(label: LabelSection) -> None:
    label.showInHand("p1", 23, "")
    assert label.ui.withdrawButton.isHidden()
    label.showLabelled(True)
    heard = Heard(label)
    label.press("withdrawButton")
    assert heard.take() == [("withdrawRequested",)]
    label.showNothingLeft("")
    assert label.ui.withdrawButton.isHidden()


def test_several_painted_slices_are_all_offered(label: LabelSection) -> None:
    label.showInHand("p1", 23, "")
    label.showPaintedSlices([23])
    assert label.ui.saveButton.text() == "Save and next"
    assert label.ui.paintedLabel.text() == ""
    label.showPaintedSlices([24])
    assert "slice 24" in label.ui.paintedLabel.text()
    label.showPaintedSlices([24, 22, 23])
    assert label.ui.saveButton.text() == "Save 3 and next"
    assert "22, 23, 24" in label.ui.paintedLabel.text()
