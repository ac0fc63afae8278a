"""What the first training would have to import, imported while nobody waits for it."""

from __future__ import annotations

import importlib
import threading
from contextlib import suppress

LATE = ("torch._dynamo", "monai.losses")
"""The first optimiser and the first loss import them, for seconds in which nothing can be called off."""


def begin() -> threading.Thread:
    """Import it on a thread beside; a training that comes sooner waits for it there."""
    thread = threading.Thread(target=_import, name="imports", daemon=True)
    thread.start()
    return thread


def _import() -> None:
    for name in LATE:
        with suppress(ImportError):  # another version of torch: its first training takes a moment longer
            importlib.import_module(name)
