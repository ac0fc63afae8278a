"""Runs the module's self test in the whole application, and tells by its exit status.

`Slicer --testing --additional-module-paths LongitudinalAL --python-script` and this file. Status 0: it went
well; what was skipped, and why, is said. Status 1: a step went wrong, and the last lines say which.

Contract: Slicer `Base/Python/slicer/util.py`, `exit(status)`; `Base/Python/slicer/testing.py`, `runUnitTest`,
which runs a module's test in the same way, by `unittest`.
"""

from __future__ import annotations

import unittest

import slicer.util

from LongitudinalAL import LongitudinalALTest

result = unittest.TextTestRunner(verbosity=2).run(LongitudinalALTest("runTest"))
slicer.util.exit(slicer.util.EXIT_SUCCESS if result.wasSuccessful() else slicer.util.EXIT_FAILURE)
