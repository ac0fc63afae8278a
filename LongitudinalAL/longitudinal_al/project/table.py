"""The table of pairs: a CSV file that names each pair's scans, read with every cell checked."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path, PureWindowsPath

from longitudinal_al.errors import InvalidInput, InvalidTable, UnsafePath
from longitudinal_al.project.identifiers import check_pair_id
from longitudinal_al.project.records import Pair, Split

REQUIRED = ("pair", "patient", "baseline", "followup")
OPTIONAL = ("reference", "reference_transform", "foreground", "foreground_transform", "split")
PATHS = ("baseline", "followup", "reference", "reference_transform", "foreground", "foreground_transform")

Cells = Mapping[str, str]


def read_pairs_table(path: Path, allow_outside: bool = False) -> list[Pair]:
    """Read and check a table of pairs.

    Parameters
    ----------
    path
        A CSV file in UTF-8, with commas, semicolons or tabs, and a header that names the columns: `pair`,
        `patient`, `baseline` and `followup`, and optionally `reference`, `reference_transform`, `foreground`,
        `foreground_transform` and `split`. Paths are relative to the table's folder. Other columns are passed
        over with a warning.
    allow_outside
        Whether paths may leave the table's folder.

    Raises
    ------
    InvalidTable
        When the table cannot be used; the message names file, row (as an editor counts lines) and column.
    UnsafePath
        When a path leaves the table's folder, also through a link, and `allow_outside` is off.
    """
    pairs: list[Pair] = []
    lines: dict[str, int] = {}
    splits: dict[str, Split] = {}
    for line, cells in _records(path):
        where = f"{path}, row {line}"
        paths = _paths(where, path.parent, cells, allow_outside)
        try:
            pair = _checked(where, cells, paths)
        except InvalidInput as error:
            raise InvalidTable(str(error)) from error
        _check_unique(where, pair, lines, line)
        _check_split(where, pair, splits)
        pairs.append(pair)
    if not pairs:
        raise InvalidTable(f"{path}: the table has a header but no pairs; add a row for each pair")
    return pairs


def checked_pair(cells: Cells) -> Pair:
    """Check one pair that was given cell by cell, and not by a table; its paths may lie anywhere.

    Raises
    ------
    InvalidInput
        When a cell is missing or wrong; the message names it.
    """
    paths = {name: Path(cells[name]).expanduser().resolve() for name in PATHS if cells.get(name)}
    return _checked(f"pair {cells.get('pair', '')!r}", cells, paths)


def _records(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row's line number and its cells by column name, blank rows left out."""
    text, before = _without_excels_line(_text(path))
    if not text.strip():
        raise InvalidTable(f"{path}: the table is empty; it needs a header and a row for each pair")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(path, header)
        for row in reader:
            values = [value.strip() for value in row]
            if not any(values):
                continue
            if len(values) > len(header):
                raise InvalidTable(
                    f"{path}, row {before + reader.line_num}: {len(values)} cells, but the header names "
                    f"{len(header)} columns; put a cell that holds the separator into double quotes"
                )
            yield before + reader.line_num, dict(zip(header, values, strict=False))
    except csv.Error as error:
        raise InvalidTable(
            f"{path}, row {before + reader.line_num}: no valid CSV ({error}); check the quotes"
        ) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidTable(f"{path}: not a text file in UTF-8; save the table as 'CSV UTF-8'") from error
    except OSError as error:
        raise InvalidTable(f"{path}: the table cannot be read ({error.strerror}); check the path") from error


def _without_excels_line(text: str) -> tuple[str, int]:
    """Return the table without the line "sep=;" that Excel writes before it, and how many lines that were."""
    first, _, rest = text.partition("\n")
    is_excels = first.strip().strip('"').lower() in ("sep=,", "sep=;", "sep=")  # a tab is stripped
    return (rest, 1) if is_excels else (text, 0)


def _separator(text: str) -> str:
    header = text.split("\n", 1)[0]
    return max(",;\t", key=header.count)


def _check_header(path: Path, header: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise InvalidTable(
            f"{path}, row 1: the column {missing[0]!r} is missing; a table of pairs needs "
            f"{', '.join(REQUIRED)} and may have {', '.join(OPTIONAL)}"
        )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise InvalidTable(f"{path}, row 1: the column {twice[0]!r} is there twice; remove one")
    unknown = [name for name in header if name and name not in REQUIRED + OPTIONAL]
    if unknown:
        warnings.warn(f"{path}: unknown columns are not used: {', '.join(unknown)}", stacklevel=4)


def _paths(where: str, folder: Path, cells: Cells, allow_outside: bool) -> dict[str, Path]:
    return {
        name: _path(f"{where}, column {name}", folder.resolve(), cells[name], allow_outside)
        for name in PATHS
        if cells.get(name)
    }


def _path(where: str, folder: Path, cell: str, allow_outside: bool) -> Path:
    """Return the file that a cell means; tables written on Windows, with its slashes, are understood."""
    foreign = PureWindowsPath(cell)
    path = Path(cell) if Path(cell).is_absolute() else Path(foreign.as_posix())
    try:
        resolved = (folder / path).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise InvalidTable(f"{where}: {cell!r} is no path ({error})") from error
    outside = not resolved.is_relative_to(folder) or (foreign.drive and not path.is_absolute())
    if outside and not allow_outside:
        raise UnsafePath(
            f"{where}: {cell!r} leads out of the table's folder {folder}; put the file there, or allow it "
            "with --allow-outside if you trust the table"
        )
    return resolved


def _checked(where: str, cells: Cells, paths: dict[str, Path]) -> Pair:
    for name in REQUIRED:
        if not cells.get(name, "").strip():
            raise InvalidInput(
                f"{where}, column {name}: the cell is empty; every pair needs {', '.join(REQUIRED)}"
            )
    try:
        check_pair_id(cells["pair"])
    except InvalidInput as error:
        raise InvalidInput(f"{where}, column pair: {error}") from error
    _check_files(where, paths)
    return Pair(
        id=cells["pair"],
        patient=cells["patient"],
        **paths,  # type: ignore[arg-type]
        split=_split(where, cells.get("split", "")),
    )


def _check_files(where: str, paths: dict[str, Path]) -> None:
    for name, path in paths.items():
        if not path.exists():
            raise InvalidInput(f"{where}, column {name}: there is no file {path}; check the name")
    if paths["baseline"].samefile(paths["followup"]):
        raise InvalidInput(
            f"{where}: baseline and followup are the same file {paths['baseline']}; give two scans"
        )
    for mask in ("reference", "foreground"):
        if f"{mask}_transform" in paths and mask not in paths:
            raise InvalidInput(
                f"{where}, column {mask}_transform: it is given without a {mask}; give both or none"
            )


def _split(where: str, word: str) -> Split:
    try:
        return Split(word.lower() or "pool")
    except ValueError as error:
        raise InvalidInput(
            f"{where}, column split: {word!r} is neither 'pool' nor 'test'; choose one"
        ) from error


def _check_unique(where: str, pair: Pair, lines: dict[str, int], line: int) -> None:
    first = lines.setdefault(pair.id.lower(), line)
    if first != line:
        raise InvalidTable(
            f"{where}, column pair: {pair.id!r} is there already, in row {first} (upper and lower case count "
            "as the same); give every pair its own name"
        )


def _check_split(where: str, pair: Pair, splits: dict[str, Split]) -> None:
    earlier = splits.setdefault(pair.patient, pair.split)
    if earlier is not pair.split:
        raise InvalidTable(
            f"{where}, column split: patient {pair.patient!r} is in '{earlier}' in an earlier row; put all "
            "pairs of a patient into the same split, or the test says nothing about new patients"
        )
