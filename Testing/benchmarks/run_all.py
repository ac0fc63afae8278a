"""Run every bench that needs nothing to be named, one after the other, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ASKS = {
    "committee": "the folder of an experiment that ran",
    "few_patients": "a prepared project with test pairs",
    "pieces": "the folder of an experiment that ran",
}
"""Bench -> what it has to be given: these are run by hand."""


def main() -> int:
    """Run `bench_*.py`, those named on the command line or all, and say which could not run."""
    folder = Path(__file__).parent
    every = sorted(file.stem.removeprefix("bench_") for file in folder.glob("bench_*.py"))
    names = sys.argv[1:] or [name for name in every if name not in ASKS]
    broken = []
    for name in names:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, folder / f"bench_{name}.py"], check=False).returncode:
            broken.append(name)
    if broken:
        print(f"could not run: {', '.join(broken)}")
    if not sys.argv[1:]:
        for name, what in ASKS.items():
            print(f"left out: bench_{name}.py, which asks for {what}")
    return len(broken)


if __name__ == "__main__":
    sys.exit(main())
