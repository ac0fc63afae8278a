"""One lock for ITK's readers and writers."""

from __future__ import annotations

import threading

ITK_FILES = threading.RLock()
"""Held while ITK reads or writes a file.

Its table of formats is filled at the first use, and two threads that fill it at once end the program. Packing
and all arithmetic go on outside of it.
"""
