"""What a command prints: lines for people, or exactly one JSON document for machines."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from longitudinal_al.project.files import json_text


class Output:
    """Collects a command's result, which is printed once the command has succeeded."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._text: list[str] = []

    def result(self, obj: object, lines: Iterable[str]) -> None:
        """Set the result: `obj` for machines, `lines` for people."""
        self._text = [json_text(obj, ascii_only=True)] if self.as_json else list(lines)

    def note(self, message: str) -> None:
        """Say something beside the result, at once, on standard error."""
        print(message, file=sys.stderr, flush=True)

    def finish(self) -> None:
        """Print the result on standard output."""
        for line in self._text:
            print(line)
        sys.stdout.flush()


def table(rows: Sequence[Sequence[object]]) -> list[str]:
    """Return rows of cells as lines with aligned columns; the first row is the header."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in texts]


def counted(number: int, thing: str) -> str:
    """Return "1 pair", "2 pairs" and so on."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def measure(value: float | None, digits: int = 3) -> str:
    """Return a figure for people; a dash where it is not defined."""
    return "-" if value is None else f"{value:.{digits}f}"
