"""Tell whether pairs of the same name in two projects are the same pair, wherever their scans lie."""

from __future__ import annotations

import filecmp
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath

from longitudinal_al.errors import InvalidInput
from longitudinal_al.project.label_meeting import Version
from longitudinal_al.project.records import Pair


def check_same_pair(ours: Pair, theirs: Pair) -> None:
    """Raise `InvalidInput` unless both are scans of the same patient, and the same scans.

    Scans that can be read from here are compared; those of another computer are known by their name only.
    """
    if ours.patient != theirs.patient:
        raise InvalidInput(
            f"pair {ours.id!r} is of patient {ours.patient!r} here and of {theirs.patient!r} there: "
            "different pairs under one name cannot be merged; nothing was changed"
        )
    for word, here, there in (
        ("baseline", ours.baseline, theirs.baseline),
        ("follow-up", ours.followup, theirs.followup),
    ):
        if not _is_same_scan(here, there):
            raise InvalidInput(
                f"pair {ours.id!r}: its {word} is {here} here and {there} there, which is another scan: "
                "different pairs under one name cannot be merged; nothing was changed"
            )


def _is_same_scan(here: Path, there: Path) -> bool:
    if here == there:
        return True
    try:
        if here.exists() and there.exists():
            return here.samefile(there) or _has_same_content(here, there)
    except OSError:
        return False
    return PureWindowsPath(here).name.lower() == PureWindowsPath(there).name.lower()


def _has_same_content(here: Path, there: Path) -> bool:
    if here.is_dir() != there.is_dir():
        return False
    if here.is_file():
        return filecmp.cmp(here, there, shallow=False)
    names = sorted(path.name for path in here.iterdir())
    if names != sorted(path.name for path in there.iterdir()):
        return False
    return not any(filecmp.cmpfiles(here, there, names, shallow=False)[1:])


def check_same_grid(
    ours: Mapping[tuple[str, int], Sequence[Version]], theirs: Mapping[tuple[str, int], Sequence[Version]]
) -> None:
    """Raise `InvalidInput` when no label of a pair has a size in one project that it has in the other."""
    here, there = _sizes(ours), _sizes(theirs)
    for pair in here.keys() & there.keys():
        if not here[pair] & there[pair]:
            raise InvalidInput(
                f"pair {pair!r}: its labels have {_listed(here[pair])} pixels here and "
                f"{_listed(there[pair])} there: different scans under one name cannot be merged; nothing was "
                "changed"
            )


def _sizes(histories: Mapping[tuple[str, int], Sequence[Version]]) -> dict[str, set[tuple[int, int]]]:
    found: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for (pair, _), versions in histories.items():
        for version in versions:
            if not version.withdrawn:
                found[pair].add((version.row["rows"], version.row["columns"]))
    return found


def _listed(sizes: set[tuple[int, int]]) -> str:
    return ", ".join(f"{rows} x {columns}" for rows, columns in sorted(sizes))
