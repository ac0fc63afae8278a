"""Which words may name a pair: the name is also the pair's folder, on every system."""

from __future__ import annotations

import re

from longitudinal_al.errors import InvalidInput

_ALLOWED = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{k}" for port in ("com", "lpt") for k in range(10))}


def check_pair_id(pair_id: str) -> None:
    """Raise `InvalidInput` unless `pair_id` can be a folder's name on Windows, macOS and Linux alike."""
    if not _ALLOWED.fullmatch(pair_id) or pair_id.endswith("."):
        raise InvalidInput(
            f"pair {pair_id!r}: a pair's name is its folder's name too, so use 1 to 64 letters (a to z), "
            "digits, '.', '_' and '-', with a letter, digit or '_' first and no '.' last"
        )
    if pair_id.split(".")[0].lower() in _RESERVED:
        raise InvalidInput(f"pair {pair_id!r}: Windows keeps this name for itself; choose another")
