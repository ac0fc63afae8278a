"""5 Results: predict, go through the changes, and export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from slicer.i18n import tr as _

from LongitudinalALLib.Sections.ProjectSection import askForFolder
from LongitudinalALLib.Sections.Rows import ChangeRow
from LongitudinalALLib.Sections.Section import Section, fillTable, showText
from LongitudinalALLib.Signal import Signal

EXPORTS = {
    "labels": _("Labels (NIfTI, NRRD with terminology)"),
    "predictions": _("Predictions (NIfTI, NRRD with terminology)"),
    "nnunet": _("nnU-Net raw dataset"),
    "bundle": _("MONAI bundle of the model"),
    "csv": _("All labels with their provenance (CSV)"),
}
"""What can be exported -> what is shown."""
DECISIONS = {"accepted": _("accepted"), "corrected": _("corrected"), "rejected": _("rejected")}
COLOURS = {"accepted": "#2e7d32", "corrected": "#b26a00", "rejected": "#c62828"}


class ResultsSection(Section):
    """Predictions, and what becomes of them.

    Signals
    -------
    predictRequested(pair or None)
        None: every pair.
    changeChosen(index), acceptRequested(index), correctRequested(index), rejectRequested(index)
        Of the rows last shown.
    exportRequested(what, path)
        A key of `EXPORTS`, and the folder.

    Setters
    -------
    showChanges(rows of ChangeRow), showMessage(text), setPair(id or None), setBusy(bool)

    Parameters
    ----------
    ask : callable
        Title of a question -> a folder.
    """

    uiFile = "ResultsSection.ui"

    def __init__(self, ask: Callable[[str], str] = askForFolder) -> None:
        super().__init__()
        self.predictRequested = Signal("pair")
        self.changeChosen = Signal("index")
        self.acceptRequested = Signal("index")
        self.correctRequested = Signal("index")
        self.rejectRequested = Signal("index")
        self.exportRequested = Signal("what", "path")
        self._ask = ask
        self._pair: str | None = None
        self._isBusy = False
        self._rows: list[ChangeRow] = []
        self._connect()
        for words in EXPORTS.values():
            self.ui.exportBox.addItem(words)
        self.setPair(None)
        self.showChanges([])
        self.showMessage("")

    # What it shows

    def showChanges(self, rows: Sequence[ChangeRow]) -> None:
        """List the changes; the chosen row stays chosen."""
        self._rows = list(rows)
        cells = [
            [
                row.pair,
                row.name,
                f"{row.volume:.0f} mm³",
                f"{row.diameter:.1f} mm",
                ", ".join(f"{part:.0f}" for part in row.centre),
                DECISIONS.get(row.decision, _("open")),
            ]
            for row in self._rows
        ]
        colours = {
            (i, 5): COLOURS[row.decision] for i, row in enumerate(self._rows) if row.decision in COLOURS
        }
        fillTable(self.ui.changesTable, cells, colours, rightColumns=(2, 3, 4))
        self._enable()

    def showMessage(self, text: str) -> None:
        """Show what came of something, in words."""
        showText(self.ui.messageLabel, text)

    def setPair(self, pair: str | None) -> None:
        """Take the pair that *Predict this pair* is about; None: none is open."""
        self._pair = pair
        self._enable()

    def setBusy(self, isBusy: bool) -> None:
        """Hold the buttons back while something is predicted or exported."""
        self._isBusy = isBusy
        self._enable()

    def chosenChange(self) -> int | None:
        """Return the index of the chosen change."""
        row = self.ui.changesTable.currentRow()
        return int(row) if 0 <= row < len(self._rows) else None

    # What it sends

    def _connect(self) -> None:
        self.ui.predictPairButton.clicked.connect(lambda *_a: self.predictRequested.emit(self._pair))
        self.ui.predictAllButton.clicked.connect(lambda *_a: self.predictRequested.emit(None))
        self.ui.changesTable.itemSelectionChanged.connect(self._onChosen)
        for button, signal in (
            (self.ui.acceptButton, self.acceptRequested),
            (self.ui.correctButton, self.correctRequested),
            (self.ui.rejectButton, self.rejectRequested),
        ):
            button.clicked.connect(lambda *_a, signal=signal: self._onDecision(signal))
        self.ui.exportButton.clicked.connect(self._onExport)

    def _onChosen(self) -> None:
        self._enable()
        self._onDecision(self.changeChosen)

    def _onDecision(self, signal: Signal) -> None:
        index = self.chosenChange()
        if index is not None:
            signal.emit(index)

    def _onExport(self, *_a: Any) -> None:
        what = list(EXPORTS)[int(self.ui.exportBox.property("currentIndex"))]
        path = self._ask(_("A folder for the export"))
        if path:
            self.exportRequested.emit(what, path)

    def _enable(self) -> None:
        self.ui.predictPairButton.setEnabled(self._pair is not None and not self._isBusy)
        self.ui.predictAllButton.setEnabled(not self._isBusy)
        self.ui.exportButton.setEnabled(not self._isBusy)
        for button in (self.ui.acceptButton, self.ui.correctButton, self.ui.rejectButton):
            button.setEnabled(self.chosenChange() is not None)
