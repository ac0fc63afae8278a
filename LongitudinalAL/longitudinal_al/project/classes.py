"""The names of the kinds of change that a project tells apart."""

from __future__ import annotations

import json
from collections.abc import Sequence

from longitudinal_al.errors import InvalidInput
from longitudinal_al.project.database import Database, damaged

DEFAULT_CLASSES = ("change",)


def checked_classes(classes: Sequence[str]) -> list[str]:
    """Return the names without spaces around them; `InvalidInput` when they cannot be told apart."""
    names = [name.strip() for name in classes]
    if not names or "" in names or len({*names}) != len(names) or len(names) > 255:
        raise InvalidInput(f"classes {list(classes)}: give 1 to 255 different, non-empty names")
    return names


def read_classes(database: Database) -> tuple[str, ...]:
    """Return the names; class k of a mask is entry k - 1."""
    rows = database.rows("SELECT value FROM meta WHERE key = 'classes'")
    try:
        return tuple(str(name) for name in json.loads(rows[0]["value"]))
    except (IndexError, TypeError, ValueError) as error:
        raise damaged(database.path, "the names of the classes cannot be read") from error
