"""How long work is stopped from outside: what it calls between its steps."""

from __future__ import annotations

from collections.abc import Callable

Interrupt = Callable[[], None]
"""Called several times a second by whatever works; what it raises (`errors.Cancelled`) ends the work."""


def never() -> None:
    """Go on: nobody can stop this."""
