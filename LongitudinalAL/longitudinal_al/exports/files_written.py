"""Text files and copies, written whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

from longitudinal_al.project.files import write_atomically


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, its line ends as they are."""
    write_atomically(path, lambda temporary: _write(temporary, text))


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))


def copy_file(source: Path, target: Path) -> None:
    """Copy a file."""
    write_atomically(target, lambda temporary: _copy(source, temporary))


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
