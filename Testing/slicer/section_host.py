"""What the tests of the sections share: an ear for their signals."""

from __future__ import annotations

from typing import Any

import stand_ins  # noqa: F401 - first: it skips where Qt or slicer-core is missing

from LongitudinalALLib.Signal import Signal


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


def isShown(widget: Any) -> bool:
    return not widget.isHidden()
