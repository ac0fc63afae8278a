"""What all reading and writing by ITK shares: one lock, and paths with any letters."""

from __future__ import annotations

import threading

import SimpleITK as sitk

from longitudinal_al.imaging.path_letters import let_libraries_open_any_path

ITK_FILES = threading.RLock()
"""Held while ITK reads or writes a file.

Its table of formats is filled at the first use, and two threads that fill it at once end the program. Packing
and all arithmetic go on outside of it.
"""

sitk.ProcessObject.SetGlobalWarningDisplay(False)  # what is wrong with a file is said in our words
let_libraries_open_any_path()  # in whatever process: a command, a worker, one of several, a user's own script
