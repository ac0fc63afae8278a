"""4 Learning: what the worker does, how well it learns, when to stop, and the few settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from LongitudinalALLib.Sections.Section import Section, showText
from LongitudinalALLib.Signal import Signal

SETTINGS = {
    "python": "pythonEdit",
    "brush": "brushBox",
    "spacing": "spacingBox",
}
"""Setting -> the widget that shows it: interpreter of the worker (empty: Slicer's own), diameter of the brush
in mm, least distance in mm to a labelled slice of the same pair."""


class LearningSection(Section):
    """The worker and its learning.

    Signals
    -------
    cancelRequested()
        Stop what the worker does.
    restartRequested()
        End the worker and start it anew.
    strategyChosen(name)
    settingsChanged(settings)
        All of them, by the names in `SETTINGS`.

    Setters
    -------
    showState(text), setBusy(bool), setRestartable(bool), showCurve(rounds of RoundFigures), showAdvice(text),
    showStrategies(names), showStrategy(name), showSettings(settings), showPythonVerdict(text, isUsable)

    Parameters
    ----------
    curve : object, optional
        Draws the learning curve: `widget`, `show(rounds)` and `cleanup()`; see `LearningCurve`.
    """

    uiFile = "LearningSection.ui"

    def __init__(self, curve: Any = None) -> None:
        super().__init__()
        self.cancelRequested = Signal()
        self.restartRequested = Signal()
        self.strategyChosen = Signal("name")
        self.settingsChanged = Signal("settings")
        self._curve = curve
        if curve is not None:
            self.ui.plotFrame.layout().addWidget(curve.widget)
        self.ui.cancelButton.clicked.connect(lambda *_a: self.cancelRequested.emit())
        self.ui.restartButton.clicked.connect(lambda *_a: self.restartRequested.emit())
        self.ui.strategyBox.currentTextChanged.connect(self._onStrategy)
        for name in SETTINGS.values():
            getattr(self.ui, name).editingFinished.connect(self._onSettings)
        self._known = self.settings()
        self.showState("")
        self.showAdvice("")
        self.showCurve([])
        self.showPythonVerdict("", True)
        self.setBusy(False)
        self.setRestartable(False)

    # What it shows

    def showState(self, text: str) -> None:
        """Show what the worker does now."""
        self.ui.stateLabel.setText(text)

    def setBusy(self, isBusy: bool) -> None:
        """Show whether there is something to cancel."""
        self.ui.cancelButton.setEnabled(isBusy)

    def setRestartable(self, isRestartable: bool) -> None:
        """Show whether the worker is gone or hangs, and can be started anew."""
        self.ui.restartButton.setVisible(isRestartable)

    def showCurve(self, rounds: Sequence[Any]) -> None:
        """Draw the learning curve of the rounds; with fewer than two that were checked there is none."""
        hasCurve = sum(each.dice is not None for each in rounds) > 1
        self.ui.plotFrame.setVisible(hasCurve)
        self.ui.noCurveLabel.setVisible(not hasCurve)
        if self._curve is not None:
            self._curve.show(rounds)

    def showAdvice(self, text: str) -> None:
        """Show whether it is time to stop, in one sentence."""
        showText(self.ui.adviceLabel, text)

    def showStrategies(self, names: Sequence[str]) -> None:
        """Offer strategies; the chosen one stays, and nobody is told."""
        box, chosen = self.ui.strategyBox, str(self.ui.strategyBox.property("currentText"))
        box.blockSignals(True)
        box.clear()
        for name in names:
            box.addItem(name)
        if chosen in names:
            box.setCurrentText(chosen)
        box.blockSignals(False)

    def showStrategy(self, name: str) -> None:
        """Show which strategy is used; nobody is told."""
        self.ui.strategyBox.blockSignals(True)
        self.ui.strategyBox.setCurrentText(name)
        self.ui.strategyBox.blockSignals(False)

    def showSettings(self, settings: Mapping[str, Any]) -> None:
        """Show settings, by the names in `SETTINGS`; nobody is told."""
        for name, value in settings.items():
            widget = getattr(self.ui, SETTINGS[name])
            setValue = widget.setValue if isinstance(value, float) else widget.setText
            setValue(value)
        self._known = self.settings()

    def showPythonVerdict(self, text: str, isUsable: bool) -> None:
        """Show whether the interpreter of the worker can be used, and why not."""
        showText(self.ui.pythonVerdictLabel, text)
        self.ui.pythonVerdictLabel.setStyleSheet("" if isUsable else "color: #c62828;")

    def settings(self) -> dict[str, Any]:
        """Return all settings as they are shown."""
        return {
            "python": str(self.ui.pythonEdit.property("text")).strip(),
            "brush": float(self.ui.brushBox.property("value")),
            "spacing": float(self.ui.spacingBox.property("value")),
        }

    def cleanup(self) -> None:
        """Delete all of its widgets, and the curve."""
        if self._curve is not None:
            self._curve.cleanup()
            self._curve = None
        super().cleanup()

    # What it sends

    def _onStrategy(self, name: str) -> None:
        if name:
            self.strategyChosen.emit(str(name))

    def _onSettings(self, *_a: Any) -> None:
        """Tell the settings, once for each change: Qt says `editingFinished` also when the focus leaves."""
        settings = self.settings()
        if settings != self._known:
            self._known = settings
            self.settingsChanged.emit(settings)
