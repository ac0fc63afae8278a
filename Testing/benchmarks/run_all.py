"""Run every bench, one after the other, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run `bench_*.py`, those named on the command line or all, and say which could not run."""
    folder = Path(__file__).parent
    names = sys.argv[1:] or sorted(file.stem.removeprefix("bench_") for file in folder.glob("bench_*.py"))
    broken = []
    for name in names:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, folder / f"bench_{name}.py"], check=False).returncode:
            broken.append(name)
    if broken:
        print(f"could not run: {', '.join(broken)}")
    return len(broken)


if __name__ == "__main__":
    sys.exit(main())
