"""Copies of files, written whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

from longitudinal_al.project.files import write_atomically


def copy_file(source: Path, target: Path) -> None:
    """Copy a file."""
    write_atomically(target, lambda temporary: _copy(source, temporary))


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
