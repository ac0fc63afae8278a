"""A signal without Qt: the same two calls as Qt's, so that logic can be connected and tested without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Signal:
    """Something that happened, told to whoever is connected, in the order in which they were connected.

    Qt signals cannot be declared in a Python class of every Slicer that is supported (PythonQt), and logic
    has to run without Qt.

    Parameters
    ----------
    *names : str
        What is told, by name: as many values as `emit` takes.
    """

    def __init__(self, *names: str) -> None:
        self.names = names
        self._receivers: list[Callable[..., Any]] = []

    def connect(self, receiver: Callable[..., Any]) -> None:
        """Have a function called with the values at each `emit`."""
        self._receivers.append(receiver)

    def disconnect(self, receiver: Callable[..., Any] | None = None) -> None:
        """Have a function, or all of them, not called any more; one that is not connected is ignored."""
        if receiver is None:
            self._receivers.clear()
        elif receiver in self._receivers:
            self._receivers.remove(receiver)

    def emit(self, *values: Any) -> None:
        """Tell the values to all who are connected now.

        Raises
        ------
        TypeError
            When there are more or fewer values than names; a fault of the program.
        """
        if len(values) != len(self.names):
            raise TypeError(f"a signal of {self.names} was given {len(values)} values")
        for receiver in list(self._receivers):
            receiver(*values)
