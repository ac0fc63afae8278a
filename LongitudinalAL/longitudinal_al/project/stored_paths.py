"""How the project's file keeps a path: relative where it lies inside, so that the folder can be moved."""

from __future__ import annotations

from pathlib import Path

from longitudinal_al.errors import InvalidInput, UnsafePath


def stored_path(folder: Path, path: Path) -> str:
    """Return the POSIX text of `path`, relative to `folder` (a resolved path) when it lies inside it."""
    resolved = path.resolve()
    inside = resolved.is_relative_to(folder)
    text = (resolved.relative_to(folder) if inside else resolved).as_posix()
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{path!r}: the name is no valid Unicode text; rename the file") from error
    return text


def read_path(folder: Path, text: str) -> Path:
    """Return the absolute path that `stored_path` wrote; a relative one may not lead out of the folder."""
    path = Path(text)
    if path.is_absolute():
        return path
    if ".." in path.parts:
        raise UnsafePath(
            f"{folder}: the project's file names {text!r}, which leads out of the project's folder"
        )
    return folder / path
