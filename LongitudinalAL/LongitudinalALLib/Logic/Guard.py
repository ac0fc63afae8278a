"""Errors become words in the section where they arose."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from longitudinal_al.errors import LongitudinalALError


def guarded(method: Callable[..., Any]) -> Callable[..., None]:
    """Show what a method of a logic raises by its `showError(text)`; faults of the program pass through."""

    @functools.wraps(method)
    def run(self: Any, *values: Any) -> None:
        try:
            method(self, *values)
        except LongitudinalALError as error:
            self.showError(str(error))
        except OSError as error:
            words = _("{file}: {reason}; check that the disk is there")
            self.showError(words.format(file=error.filename or _("a file"), reason=error.strerror or error))

    return run
