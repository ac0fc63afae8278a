"""3 Label: the next slice pair, its reason, and four ways on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slicer.i18n import tr as _

from LongitudinalALLib.Sections.Section import Section, showText
from LongitudinalALLib.Signal import Signal

OVERLAYS = {
    "suggestion": "suggestionButton",
    "uncertainty": "uncertaintyButton",
    "attention": "attentionButton",
    "earlier": "earlierButton",
}
"""Overlay -> its button."""


class LabelSection(Section):
    """The labelling of one slice pair after another.

    Signals
    -------
    nextRequested(), saveRequested(), noChangeRequested(), skipRequested(), backRequested(),
    withdrawRequested()
    overlayToggled(name, isOn)
        `suggestion`, `uncertainty`, `attention` or `earlier` (earlier labels).
    suggestionRequested()
        The suggestion is asked for, before `overlayToggled("suggestion", True)`: this has to be recorded.

    Setters
    -------
    showReason(text), showInHand(pair, slice, rank), showLabelled(bool), showNothingLeft(text),
    showPaintedSlices(indices),
    setBusy(bool), showOverlays(names that are on), showMessage(text), setEditor(widget or None)

    Attributes
    ----------
    ui.editorFrame : qt.QFrame
        Where the Segment Editor's widget goes, by `setEditor`.
    """

    uiFile = "LabelSection.ui"

    def __init__(self) -> None:
        super().__init__()
        self.nextRequested = Signal()
        self.saveRequested = Signal()
        self.noChangeRequested = Signal()
        self.skipRequested = Signal()
        self.backRequested = Signal()
        self.withdrawRequested = Signal()
        self.overlayToggled = Signal("name", "isOn")
        self.suggestionRequested = Signal()
        self._isInHand = False
        self._slice: int | None = None
        self._isBusy = False
        for button, signal in (
            (self.ui.nextButton, self.nextRequested),
            (self.ui.saveButton, self.saveRequested),
            (self.ui.noChangeButton, self.noChangeRequested),
            (self.ui.skipButton, self.skipRequested),
            (self.ui.backButton, self.backRequested),
            (self.ui.withdrawButton, self.withdrawRequested),
        ):
            button.clicked.connect(lambda *_a, signal=signal: signal.emit())
        for name, button in OVERLAYS.items():
            getattr(self.ui, button).toggled.connect(lambda isOn, name=name: self._onOverlay(name, isOn))
        self._showNothing("")

    # What it shows

    def showReason(self, text: str) -> None:
        """Show why this slice pair is asked for."""
        showText(self.ui.reasonLabel, text)

    def showInHand(self, pair: str, sliceIndex: int, rank: str) -> None:
        """Show which slice pair is being labelled."""
        self._isInHand, self._slice = True, sliceIndex
        where = _("{pair}, slice {number}").format(pair=pair, number=sliceIndex)
        self.ui.inHandLabel.setText(f"{where}   ({rank})" if rank else where)
        showText(self.ui.messageLabel, "")
        self._enable()

    def showLabelled(self, isLabelled: bool) -> None:
        """Show whether the slice pair in hand has a label, which can be withdrawn."""
        self.ui.withdrawButton.setVisible(isLabelled)

    def showNothingLeft(self, text: str) -> None:
        """Show why there is no slice pair to label."""
        self._showNothing(text)

    def showPaintedSlices(self, indices: Sequence[int]) -> None:
        """Show which slices were painted on, and so will be saved, where others are than the one in hand."""
        numbers = ", ".join(str(index) for index in sorted(indices))
        if len(indices) > 1:
            text = _("Painted: slices {numbers}. All of them are saved together.")
        elif set(indices) <= {self._slice}:
            text = ""
        else:
            text = _("Painted: slice {numbers}, which is not the one in hand. It is saved together with it.")
        showText(self.ui.paintedLabel, text.format(numbers=numbers))
        if len(indices) > 1:
            self.ui.saveButton.setText(_("Save {number} and next").format(number=len(indices)))
        else:
            self.ui.saveButton.setText(_("Save and next"))

    def showOverlays(self, names: Sequence[str]) -> None:
        """Show which overlays are on; nobody is told."""
        for name, button in OVERLAYS.items():
            getattr(self.ui, button).blockSignals(True)
            getattr(self.ui, button).setChecked(name in names)
            getattr(self.ui, button).blockSignals(False)

    def showMessage(self, text: str) -> None:
        """Show what came of something, in words."""
        showText(self.ui.messageLabel, text)

    def setBusy(self, isBusy: bool) -> None:
        """Hold the buttons back while a label is being saved."""
        self._isBusy = isBusy
        self._enable()

    def setEditor(self, editor: Any) -> None:
        """Put the Segment Editor's widget below the buttons, or (None) nothing."""
        self.ui.editorHint.setVisible(editor is None)
        if editor is not None:
            self.ui.editorFrame.layout().addWidget(editor)

    # What it sends

    def press(self, name: str) -> None:
        """Do as if a button were clicked, by its name; one that is not enabled does nothing. For the keys."""
        getattr(self.ui, name).click()

    def _onOverlay(self, name: str, isOn: bool) -> None:
        if name == "suggestion" and isOn:
            self.suggestionRequested.emit()
        self.overlayToggled.emit(name, isOn)

    def _showNothing(self, text: str) -> None:
        self._isInHand, self._slice = False, None
        self.ui.inHandLabel.setText(_("No slice pair is in hand."))
        self.showLabelled(False)
        self.showReason("")
        self.showPaintedSlices([])
        self.showOverlays([])
        self.showMessage(text)
        self._enable()

    def _enable(self) -> None:
        for button in (
            self.ui.saveButton,
            self.ui.noChangeButton,
            self.ui.skipButton,
            self.ui.withdrawButton,
        ):
            button.setEnabled(self._isInHand and not self._isBusy)
        for name in OVERLAYS.values():
            getattr(self.ui, name).setEnabled(self._isInHand)
        self.ui.nextButton.setEnabled(not self._isBusy)
        self.ui.backButton.setEnabled(not self._isBusy)
