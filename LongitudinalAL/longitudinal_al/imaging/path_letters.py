"""Paths with letters of every language, on Windows too."""

from __future__ import annotations

import locale
import sys
from contextlib import suppress


def let_libraries_open_any_path() -> None:
    """Have C libraries of this process read paths as UTF-8; Windows would read them in its old code page.

    SimpleITK hands paths as UTF-8 to the C runtime, whose ``fopen`` follows the locale of the process;
    without this, nothing in the folder of a user called Müller could be opened. Python's own files
    need none of it. Windows before its version of 2018 has no such locale, and all stays as it is.

    Contract: Microsoft's documentation of ``setlocale``, "UTF-8 support"; SimpleITK's issues 795 and 1255.
    """
    if sys.platform == "win32":
        with suppress(locale.Error):
            locale.setlocale(locale.LC_CTYPE, ".UTF8")
