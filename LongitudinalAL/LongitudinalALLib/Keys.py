"""The module's keys: they are there while it is shown, and no longer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import qt

LABEL_KEYS = {
    "Ctrl+Return": "saveButton",
    "Ctrl+Shift+Return": "noChangeButton",
    "Ctrl+K": "skipButton",
    "Ctrl+Backspace": "backButton",
    "Ctrl+J": "nextButton",
    "Ctrl+G": "suggestionButton",
    "Ctrl+U": "uncertaintyButton",
    "Ctrl+T": "attentionButton",
    "Ctrl+E": "earlierButton",
}
"""Key -> button of the section Label. All carry Ctrl: the Segment Editor has the plain ones (arrows, q w z
y i, escape, space, digits), and Slicer has Ctrl with a f h o s w and digits (its user guide, "User
Interface", shortcuts)."""


class Keys:
    """Keys of a window, installed and removed together.

    Contract: Qt `QShortcut`; Slicer's script repository makes them of `slicer.util.mainWindow()`.

    Parameters
    ----------
    actions : mapping of str to callable
        Key -> what it does.
    """

    def __init__(self, actions: Mapping[str, Callable[[], None]]) -> None:
        self._actions = dict(actions)
        self._shortcuts: list[Any] = []

    def install(self, window: Any) -> None:
        """Have the keys work in a window; where they do already, nothing happens."""
        if self._shortcuts or window is None:
            return
        for key, action in self._actions.items():
            shortcut = qt.QShortcut(window)
            shortcut.setKey(qt.QKeySequence(key))
            shortcut.activated.connect(action)
            self._shortcuts.append(shortcut)

    def remove(self) -> None:
        """Take the keys away."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts.clear()
