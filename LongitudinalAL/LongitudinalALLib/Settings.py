"""What is kept between sessions on this computer: never in a scene, never in a project."""

from __future__ import annotations

from typing import Any

import qt

from longitudinal_al.frontend.login import login_name

DEFAULTS: dict[str, Any] = {
    "project": "",
    "annotator": login_name(),
    "strategy": "",
    "brush": 3.0,
    "spacing": 5.0,
    "python": "",
}
"""Setting -> what it is where it was never set: the last project's folder, who labels (the login name), how
slice pairs are chosen (empty: the worker's own way), diameter of the brush in mm, least distance of slices in
mm, and the worker's Python (empty: Slicer's own)."""


class Settings:
    """Settings by name, in Slicer's own settings under `LongitudinalAL/`.

    Contract: Qt `QSettings.value`, `setValue`; a file gives every value back as text.

    Parameters
    ----------
    store : qt.QSettings, optional
        Slicer's own by default.
    """

    def __init__(self, store: Any = None) -> None:
        self._store = qt.QSettings() if store is None else store

    def value(self, name: str) -> Any:
        """Return a setting, of the type of its default; one that cannot be read is the default."""
        default = DEFAULTS[name]
        try:
            return type(default)(self._store.value(f"LongitudinalAL/{name}", default))
        except (TypeError, ValueError):
            return default

    def setValue(self, name: str, value: Any) -> None:
        """Keep a setting."""
        self._store.setValue(f"LongitudinalAL/{name}", type(DEFAULTS[name])(value))

    def all(self) -> dict[str, Any]:
        """Return all settings."""
        return {name: self.value(name) for name in DEFAULTS}
