"""Run the command line: ``python -m longitudinal_al``."""

from __future__ import annotations

import sys

from longitudinal_al.cli import main

if __name__ == "__main__":
    sys.exit(main())
