"""Errors become words in the section where they arose."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

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
            self.showError(
                f"{error.filename or 'a file'}: {error.strerror or error}; check that the disk is there"
            )

    return run
