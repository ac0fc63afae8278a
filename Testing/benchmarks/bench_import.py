"""What Slicer's start pays for the module: the time to import it, and all of the Slicer side.

Each import is in a fresh process, with Slicer's own modules there already, as they are in Slicer (Qt's are
stand-ins on PySide6), and with the compiled files that Python keeps after the first time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 0.3
TIMES = 7
SCRIPT = """
import sys, time
sys.path[:0] = {paths!r}
import numpy, vtk, stand_ins
begin = time.perf_counter()
import {module}
print(time.perf_counter() - begin)
"""


def seconds(module: str) -> np.ndarray:
    """Return how long a module takes to import, in fresh processes."""
    paths = [str(ROOT / "Testing" / "slicer"), str(ROOT / "LongitudinalAL")]
    command = [sys.executable, "-c", SCRIPT.format(paths=paths, module=module)]
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        runs = [
            subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
            for _ in range(TIMES + 1)
        ]
    return np.array([float(each.split()[-1]) for each in runs[1:]])


def main() -> int:
    """Print the figures; 1 when one is missed."""
    missed = 0
    for module, what in (
        ("LongitudinalAL", "the module, as Slicer does at its start"),
        ("LongitudinalALLib.Wiring", "all of the Slicer side, when the module is opened"),
    ):
        taken = seconds(module)
        is_missed = float(taken.max()) > LIMIT_SECONDS
        missed += is_missed
        word = "MISSED" if is_missed else "ok"
        median, most = 1e3 * np.median(taken), 1e3 * taken.max()
        print(f"import {what}: median {median:.0f} ms, at most {most:.0f} ms of {TIMES}  {word}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
