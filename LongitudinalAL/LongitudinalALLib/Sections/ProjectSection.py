"""1 Project: choose or create a folder, and see where things stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from LongitudinalALLib.Sections.Section import Section, showText
from LongitudinalALLib.Signal import Signal


def askForFolder(title: str) -> str:
    """Ask the user for a folder; empty when there was no answer.

    Contract: Qt `QFileDialog.getExistingDirectory(parent, caption, directory)`.
    """
    return str(qt.QFileDialog.getExistingDirectory(None, title, ""))


class ProjectSection(Section):
    """The project's folder and its standing.

    Signals
    -------
    createRequested(path), openRequested(path)
        A folder to make a project in, or one that holds a project.
    installRequested()
        Install the missing packages.
    annotatorNamed(name)
        Who labels from now on.

    Setters
    -------
    showProject(path), showStanding(text), showAnnotator(name), showMissingPackages(text or None),
    showError(text or None), setInstalling(bool), showInstallLine(text)

    Parameters
    ----------
    ask : callable
        Title of a question -> a folder.
    """

    uiFile = "ProjectSection.ui"

    def __init__(self, ask: Callable[[str], str] = askForFolder) -> None:
        super().__init__()
        self.createRequested = Signal("path")
        self.openRequested = Signal("path")
        self.installRequested = Signal()
        self.annotatorNamed = Signal("name")
        self._annotator = ""
        self._ask = ask
        self.ui.openButton.clicked.connect(lambda *_a: self._askAnd(_("Open a project"), self.openRequested))
        self.ui.createButton.clicked.connect(
            lambda *_a: self._askAnd(_("A folder for the new project"), self.createRequested)
        )
        self.ui.installButton.clicked.connect(lambda *_a: self.installRequested.emit())
        self.ui.annotatorEdit.editingFinished.connect(self._onAnnotator)
        self.showProject("")
        self.showStanding("")
        self.showMissingPackages(None)
        self.showError("")

    def showProject(self, path: str) -> None:
        """Show the project's folder; empty: none is open."""
        self.ui.folderLabel.setText(path or _("No project is open. Open one, or make a new one."))
        self.ui.folderLabel.setToolTip(path)

    def showStanding(self, text: str) -> None:
        """Show where things stand, in one line."""
        showText(self.ui.standingLabel, text)

    def showAnnotator(self, name: str) -> None:
        """Show who labels; nobody is told."""
        self._annotator = name
        self.ui.annotatorEdit.setText(name)

    def showMissingPackages(self, text: str | None) -> None:
        """Show what is missing and what installing it means; None: nothing is."""
        self.ui.missingLabel.setText(text or "")
        self.ui.missingBox.setVisible(bool(text))
        self.setInstalling(False)
        self.showInstallLine("")

    def setInstalling(self, isInstalling: bool) -> None:
        """Show that packages are being installed."""
        self.ui.installButton.setEnabled(not isInstalling)
        self.ui.installButton.setText(_("Installing ...") if isInstalling else _("Install ..."))

    def showInstallLine(self, text: str) -> None:
        """Show the newest line of what the installation says."""
        showText(self.ui.installLineLabel, text[:200])

    def showError(self, text: str | None) -> None:
        """Show what went wrong and what to do; empty: nothing did."""
        showText(self.ui.errorLabel, text)

    def _onAnnotator(self, *_a: Any) -> None:
        """Tell the name once for each change: Qt says `editingFinished` also when the focus leaves."""
        name = str(self.ui.annotatorEdit.property("text")).strip()
        if name != self._annotator:
            self._annotator = name
            self.annotatorNamed.emit(name)

    def _askAnd(self, title: str, signal: Signal) -> None:
        path = self._ask(title)
        if path:
            signal.emit(path)
