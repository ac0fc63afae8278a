"""The annotator comes first: the worker takes what the front end leaves of the processor."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import SimpleITK as sitk
import torch

NICENESS = 10
_BELOW_NORMAL = 0x4000


def lower_priority() -> None:
    """Let other programs go first; where the system does not allow it, nothing changes."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetPriorityClass(ctypes.windll.kernel32.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        with suppress(OSError):
            os.nice(NICENESS)


class Threads:
    """How many threads a computation takes: all that it was given, or all but one while someone labels."""

    def __init__(self) -> None:
        self._all = torch.get_num_threads()
        self._taken = self._all

    def share(self, someone_labels: bool) -> None:
        """Take or leave a core; has to be called on the thread that computes."""
        wanted = max(1, self._all - 1) if someone_labels else self._all
        if wanted != self._taken:
            self._taken = wanted
            torch.set_num_threads(wanted)
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(wanted)
