"""2 Pairs: add them, prepare them, look at them, and check how they were registered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

from LongitudinalALLib.Sections.ProjectSection import askForFolder
from LongitudinalALLib.Sections.Rows import PairRow
from LongitudinalALLib.Sections.Section import Section, fillTable, showText
from LongitudinalALLib.Signal import Signal

CHECK_VIEWS = {"flicker": "flickerButton", "checkerboard": "checkerboardButton", "edges": "edgesButton"}
"""Check view -> its button; none of them pressed is the mode `off`."""
VERDICTS = {"good": "goodButton", "look": "lookButton", "failed": "failedButton"}
"""Verdict -> the button that overrules with it."""
VERDICT_WORDS = {"good": _("good"), "look": _("doubtful"), "failed": _("failed")}
CHECKED = ("prepared", "failed")
"""States with a registration that someone can judge or correct."""
STATE_WORDS = {"added": _("to be prepared"), "failed": _("failed")}
COLOURS = {"good": "#2e7d32", "look": "#b26a00", "failed": "#c62828"}


def askForTable(title: str) -> str:
    """Ask the user for a table of pairs; empty when there was no answer.

    Contract: Qt `QFileDialog.getOpenFileName(parent, caption, directory, filter)`; PythonQt returns the
    path, PySide6 a tuple.
    """
    answer = qt.QFileDialog.getOpenFileName(None, title, "", "pairs.csv (*.csv)")
    return str(answer[0] if isinstance(answer, tuple) else answer)


class PairsSection(Section):
    """The pairs of the project.

    Signals
    -------
    addFromSceneRequested(baselineNodeId, followupNodeId, pair, patient)
    addTableRequested(path)
        A table of pairs (pairs.csv).
    addFolderRequested(path)
        A folder with such a table, or with scans.
    addSampleDataRequested()
    prepareRequested(), cancelRequested()
    pairChosen(id)
        Show this pair.
    overruleRequested(id, verdict)
        `good`, `look` or `failed`.
    registerFromTransformRequested(id, transformNodeId), useTransformRequested(id, transformNodeId)
        Search for the registration from a transform, or take the transform for it.
    checkViewRequested(id, mode)
        `flicker`, `checkerboard`, `edges` or `off`.

    Setters
    -------
    setScene(scene), showPairs(rows of PairRow), showProgress(phase, share 0 to 1, secondsLeft or None),
    showIdle(), showCheckView(mode), showMessage(text), setProjectOpen(bool)

    Parameters
    ----------
    ask : callable
        Title of a question -> a file.
    askFolder : callable
        Title of a question -> a folder.
    """

    uiFile = "PairsSection.ui"

    def __init__(
        self, ask: Callable[[str], str] = askForTable, askFolder: Callable[[str], str] = askForFolder
    ) -> None:
        super().__init__()
        self.addFromSceneRequested = Signal("baselineNodeId", "followupNodeId", "pair", "patient")
        self.addTableRequested = Signal("path")
        self.addFolderRequested = Signal("path")
        self.addSampleDataRequested = Signal()
        self.prepareRequested = Signal()
        self.cancelRequested = Signal()
        self.pairChosen = Signal("id")
        self.overruleRequested = Signal("id", "verdict")
        self.registerFromTransformRequested = Signal("id", "transformNodeId")
        self.useTransformRequested = Signal("id", "transformNodeId")
        self.checkViewRequested = Signal("id", "mode")
        self._ask, self._askFolder = ask, askFolder
        self._rows: list[PairRow] = []
        self._connectAdding()
        self._connectChecking()
        self.ui.prepareButton.clicked.connect(lambda *_a: self.prepareRequested.emit())
        self.ui.cancelButton.clicked.connect(lambda *_a: self.cancelRequested.emit())
        self.ui.pairsTable.itemSelectionChanged.connect(self._onChosen)
        self.showPairs([])
        self.showIdle()
        self.showMessage("")

    # What it shows

    def setScene(self, scene: Any) -> None:
        """Have the node boxes list the nodes of a scene; None: of none.

        Contract: Slicer `Libs/MRML/Widgets/qMRMLNodeComboBox.h`, `setMRMLScene`.
        """
        for box in (self.ui.baselineBox, self.ui.followupBox, self.ui.transformBox):
            box.setMRMLScene(scene)

    def setProjectOpen(self, isOpen: bool) -> None:
        """Allow what needs an open project, or not."""
        self.ui.contents.setEnabled(isOpen)

    def showPairs(self, rows: Sequence[PairRow]) -> None:
        """List the pairs; the chosen one stays chosen."""
        chosen = self.chosenPair()
        self._rows = list(rows)
        cells = [
            [row.patient, row.id, _stateWords(row), VERDICT_WORDS.get(row.verdict, "-")] for row in self._rows
        ]
        colours = {(i, 3): COLOURS[row.verdict] for i, row in enumerate(self._rows) if row.verdict in COLOURS}
        fillTable(self.ui.pairsTable, cells, colours)
        self._select(chosen)
        self.ui.prepareButton.setEnabled(bool(self._rows))
        self._showChosen()

    def showProgress(self, phase: str, share: float, secondsLeft: float | None) -> None:
        """Show how far a preparation is."""
        self.ui.prepareButton.setVisible(False)
        self.ui.progressBox.setVisible(True)
        self.ui.progressBar.setValue(round(100 * min(max(share, 0.0), 1.0)))
        left = "" if secondsLeft is None else _(", about {time} left").format(time=timeWords(secondsLeft))
        self.ui.progressLabel.setText(phase + left)

    def showIdle(self) -> None:
        """Show that nothing is being prepared."""
        self.ui.progressBox.setVisible(False)
        self.ui.prepareButton.setVisible(True)

    def showCheckView(self, mode: str) -> None:
        """Show which check view is on; nobody is told."""
        for name, button in CHECK_VIEWS.items():
            getattr(self.ui, button).blockSignals(True)
            getattr(self.ui, button).setChecked(name == mode)
            getattr(self.ui, button).blockSignals(False)

    def showMessage(self, text: str) -> None:
        """Show what came of something, in words."""
        showText(self.ui.messageLabel, text)

    def chosenPair(self) -> str | None:
        """Return the id of the pair that is chosen in the table."""
        row = self.ui.pairsTable.currentRow()
        return self._rows[row].id if 0 <= row < len(self._rows) else None

    # What it sends

    def _connectAdding(self) -> None:
        self.ui.addFromSceneButton.toggled.connect(self.ui.fromSceneBox.setVisible)
        self.ui.fromSceneBox.setVisible(False)
        self.ui.addButton.clicked.connect(self._onAdd)
        self.ui.addFolderButton.clicked.connect(self._onAddFolder)
        self.ui.addTableButton.clicked.connect(self._onAddTable)
        self.ui.addSampleButton.clicked.connect(lambda *_a: self.addSampleDataRequested.emit())

    def _connectChecking(self) -> None:
        for mode, button in CHECK_VIEWS.items():
            getattr(self.ui, button).toggled.connect(lambda isOn, mode=mode: self._onCheckView(mode, isOn))
        for verdict, button in VERDICTS.items():
            getattr(self.ui, button).clicked.connect(lambda *_a, verdict=verdict: self._onOverrule(verdict))
        for button, signal in (
            (self.ui.registerButton, self.registerFromTransformRequested),
            (self.ui.useTransformButton, self.useTransformRequested),
        ):
            button.clicked.connect(lambda *_a, signal=signal: self._onTransform(signal))

    def _onAdd(self, *_a: Any) -> None:
        nodes = [
            str(box.property("currentNodeID") or "") for box in (self.ui.baselineBox, self.ui.followupBox)
        ]
        names = [str(edit.property("text")).strip() for edit in (self.ui.pairEdit, self.ui.patientEdit)]
        if not all(nodes):
            self.showMessage(_("Choose both a baseline and a follow-up."))
        elif nodes[0] == nodes[1]:
            self.showMessage(_("Baseline and follow-up are the same volume: choose two."))
        else:
            self.showMessage("")
            self.addFromSceneRequested.emit(*nodes, *names)

    def _onAddFolder(self, *_a: Any) -> None:
        path = self._askFolder(_("A folder with scans"))
        if path:
            self.addFolderRequested.emit(path)

    def _onAddTable(self, *_a: Any) -> None:
        path = self._ask(_("A table of pairs"))
        if path:
            self.addTableRequested.emit(path)

    def _onChosen(self) -> None:
        self._showChosen()
        pair = self.chosenPair()
        if pair is not None:
            self.pairChosen.emit(pair)

    def _onCheckView(self, mode: str, isOn: bool) -> None:
        pair = self.chosenPair()
        self.showCheckView(mode if isOn else "off")
        if pair is not None:
            self.checkViewRequested.emit(pair, mode if isOn else "off")

    def _onOverrule(self, verdict: str) -> None:
        pair = self.chosenPair()
        if pair is not None:
            self.overruleRequested.emit(pair, verdict)

    def _onTransform(self, signal: Signal) -> None:
        pair, transform = self.chosenPair(), str(self.ui.transformBox.property("currentNodeID") or "")
        if not transform:
            self.showMessage(_("Choose a transform, or make one and move the baseline with it."))
        elif pair is not None:
            signal.emit(pair, transform)

    def _select(self, pair: str | None) -> None:
        """Choose the pair again, without telling anyone."""
        rows = [i for i, row in enumerate(self._rows) if row.id == pair]
        self.ui.pairsTable.blockSignals(True)
        self.ui.pairsTable.setCurrentCell(rows[0] if rows else -1, 0)
        self.ui.pairsTable.blockSignals(False)

    def _showChosen(self) -> None:
        """Show the check of the chosen pair; one that failed can be judged and corrected, not looked at."""
        row = next((row for row in self._rows if row.id == self.chosenPair()), None)
        self.ui.checkBox.setEnabled(row is not None and row.state in CHECKED)
        for button in CHECK_VIEWS.values():
            getattr(self.ui, button).setEnabled(row is not None and row.state == "prepared")
        words = _("Choose a prepared pair.") if row is None else f"{row.id}: {row.reason or _stateWords(row)}"
        self.ui.reasonLabel.setText(words)


def timeWords(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 90:
        return _("{number} s").format(number=round(seconds))
    return _("{number} min").format(number=round(seconds / 60))


def _stateWords(row: PairRow) -> str:
    if row.state != "prepared":
        return STATE_WORDS.get(row.state, row.state)
    return _("{labelled} of {number} labelled").format(labelled=row.labelled, number=row.slicePairs)
