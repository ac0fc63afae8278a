"""Tables of pairs: every mistake is named with file, row and column."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

import pytest

from longitudinal_al.errors import InvalidInput, InvalidTable, UnsafePath
from longitudinal_al.project.records import Pair, Split
from longitudinal_al.project.table import checked_pair, read_pairs_table

HEADER = "pair,patient,baseline,followup"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with scans of two patients, and a file outside of it."""
    inside = tmp_path / "tüble"
    for name in ("a1", "a2", "b1", "b2", "m"):
        (inside / name).parent.mkdir(exist_ok=True)
        (inside / f"{name}.nii.gz").write_bytes(b"x")
    (inside / "t.tfm").write_bytes(b"x")
    (inside / "sub").mkdir()
    (inside / "sub" / "a3.nii.gz").write_bytes(b"x")
    (tmp_path / "outside.nii.gz").write_bytes(b"x")
    return inside


def table(folder: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path = folder / "pairs.csv"
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def test_all_columns_are_read_relative_to_the_table(folder: Path) -> None:
    path = table(
        folder,
        f"{HEADER},reference,reference_transform,foreground,foreground_transform,split",
        "one,Anna Ö.,a1.nii.gz,a2.nii.gz,m.nii.gz,t.tfm,m.nii.gz,t.tfm,test",
        "",
        "two,Bert,b1.nii.gz,sub/a3.nii.gz,,,,,",
    )
    first, second = read_pairs_table(path)
    here = folder.resolve()
    mask, transform = here / "m.nii.gz", here / "t.tfm"
    scans = here / "a1.nii.gz", here / "a2.nii.gz"
    assert first == Pair("one", "Anna Ö.", *scans, mask, transform, mask, transform, Split.TEST)
    assert second == Pair("two", "Bert", here / "b1.nii.gz", here / "sub" / "a3.nii.gz")
    assert second.split is Split.POOL


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_what_spreadsheets_write_is_understood(folder: Path, separator: str, encoding: str) -> None:
    lines = [
        HEADER.replace(",", separator).title(),
        separator.join(["x", '"A; B, C"', "a1.nii.gz", " a2.nii.gz "]),
    ]
    (pair,) = read_pairs_table(table(folder, *lines, encoding=encoding))
    assert (pair.id, pair.patient, pair.followup.name) == ("x", "A; B, C", "a2.nii.gz")


def test_a_windows_slash_is_understood(folder: Path) -> None:
    (pair,) = read_pairs_table(table(folder, HEADER, r"x,A,a1.nii.gz,sub\a3.nii.gz"))
    assert pair.followup == folder.resolve() / "sub" / "a3.nii.gz"


MISTAKES = {
    "missing column": (["pair,patient,baseline", "x,A,a1.nii.gz"], "row 1.*'followup' is missing"),
    "column twice": ([f"{HEADER},pair", "x,A,a1.nii.gz,a2.nii.gz,x"], "row 1.*'pair' is there twice"),
    "duplicate pair": (
        [HEADER, "x,A,a1.nii.gz,a2.nii.gz", "X,B,b1.nii.gz,b2.nii.gz"],
        "row 3, column pair: 'X' is there already, in row 2",
    ),
    "empty cell": ([HEADER, "x,,a1.nii.gz,a2.nii.gz"], "row 2, column patient: the cell is empty"),
    "short row": ([HEADER, "x,A,a1.nii.gz"], "row 2, column followup: the cell is empty"),
    "long row": ([HEADER, "x,A,a1.nii.gz,a2.nii.gz,more"], "row 2: 5 cells, but the header names 4"),
    "unknown split": ([f"{HEADER},split", "x,A,a1.nii.gz,a2.nii.gz,train"], "row 2, column split: 'train'"),
    "patient in both splits": (
        [f"{HEADER},split", "x,A,a1.nii.gz,a2.nii.gz,pool", "y,A,b1.nii.gz,b2.nii.gz,test"],
        "row 3, column split: patient 'A' is in 'pool'",
    ),
    "missing file": ([HEADER, "x,A,a1.nii.gz,nowhere.nii.gz"], "row 2, column followup: there is no file"),
    "same scan twice": (
        [HEADER, "x,A,a1.nii.gz,./a1.nii.gz"],
        "row 2: baseline and followup are the same file",
    ),
    "transform without mask": (
        [f"{HEADER},reference_transform", "x,A,a1.nii.gz,a2.nii.gz,t.tfm"],
        "row 2, column reference_transform: it is given without a reference",
    ),
    "bad name": ([HEADER, "../x,A,a1.nii.gz,a2.nii.gz"], "row 2, column pair: .*letters"),
    "open quote": ([HEADER, '"x,A,a1.nii.gz,a2.nii.gz'], "no valid CSV"),
    "no pairs": ([HEADER, ""], "no pairs"),
    "empty file": ([""], "the table is empty"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_the_file_row_and_column(folder: Path, mistake: str) -> None:
    lines, message = MISTAKES[mistake]
    path = table(folder, *lines)
    with pytest.raises(InvalidTable, match=message) as caught:
        read_pairs_table(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("content", [b"\xff\xfep\x00", b"pair,\xe9"])
def test_another_encoding_is_refused(folder: Path, content: bytes) -> None:
    path = folder / "pairs.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidTable, match="UTF-8"):
        read_pairs_table(path)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidTable, match=r"nowhere\.csv: the table cannot be read"):
        read_pairs_table(tmp_path / "nowhere.csv")


def test_unknown_columns_are_passed_over_with_a_warning(folder: Path) -> None:
    path = table(folder, f"{HEADER},age", "x,A,a1.nii.gz,a2.nii.gz,50")
    with pytest.warns(UserWarning, match="unknown columns are not used: age"):
        assert len(read_pairs_table(path)) == 1


def test_known_columns_give_no_warning(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_pairs_table(table(folder, HEADER, "x,A,a1.nii.gz,a2.nii.gz"))


@pytest.mark.parametrize(
    "cell",
    ["../outside.nii.gz", "sub/../../outside.nii.gz", r"..\outside.nii.gz", r"C:\scans\a.nii", "C:a.nii",
     r"\\server\share\a.nii", "//server/share/a.nii", "/etc/hostname"],
)  # fmt: skip
def test_a_path_that_leaves_the_folder_is_refused(folder: Path, cell: str) -> None:
    with pytest.raises(UnsafePath, match=r"row 2, column followup: .*leads out of the table's folder"):
        read_pairs_table(table(folder, HEADER, f"x,A,a1.nii.gz,{cell}"))


def test_a_link_that_leaves_the_folder_is_refused(folder: Path) -> None:
    try:
        (folder / "link.nii.gz").symlink_to(folder.parent / "outside.nii.gz")
    except OSError:
        pytest.skip("links cannot be made here")
    path = table(folder, HEADER, "x,A,a1.nii.gz,link.nii.gz")
    with pytest.raises(UnsafePath, match="leads out"):
        read_pairs_table(path)
    assert read_pairs_table(path, allow_outside=True)[0].followup.name == "outside.nii.gz"


def test_outside_can_be_allowed(folder: Path) -> None:
    outside = (folder.parent / "outside.nii.gz").resolve()
    lines = [HEADER, f"x,A,{outside},../outside.nii.gz", "y,A,a1.nii.gz,../outside.nii.gz"]
    with pytest.raises(InvalidTable, match="same file"):
        read_pairs_table(table(folder, *lines), allow_outside=True)
    (pair,) = read_pairs_table(table(folder, lines[0], lines[2]), allow_outside=True)
    assert pair.followup == outside


def test_hard_links_to_one_scan_are_the_same_scan(folder: Path) -> None:
    os.link(folder / "a1.nii.gz", folder / "again.nii.gz")
    with pytest.raises(InvalidTable, match="same file"):
        read_pairs_table(table(folder, HEADER, "x,A,a1.nii.gz,again.nii.gz"))


def test_a_pair_given_cell_by_cell(folder: Path) -> None:
    cells = {
        "pair": "x",
        "patient": "A",
        "baseline": f"{folder}/a1.nii.gz",
        "followup": f"{folder}/a2.nii.gz",
    }
    assert checked_pair(cells).baseline == (folder / "a1.nii.gz").resolve()
    for name, message in (("patient", "column patient"), ("baseline", "column baseline")):
        with pytest.raises(InvalidInput, match=message):
            checked_pair({**cells, name: ""})
    with pytest.raises(InvalidInput, match=re.escape("nowhere")):
        checked_pair({**cells, "followup": "nowhere"})


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_the_line_that_excel_writes_before_a_table_is_passed_over(folder: Path, line: str) -> None:
    rows = [HEADER.replace(",", ";"), "one;Anna;a1.nii.gz;a2.nii.gz", "two;Bert;b1.nii.gz;b2.nii.gz"]
    assert [pair.id for pair in read_pairs_table(table(folder, line, *rows))] == ["one", "two"]
    with pytest.raises(InvalidTable, match="row 3, column baseline"):
        read_pairs_table(table(folder, line, rows[0], "one;Anna;no.nii.gz;a2.nii.gz"))


@pytest.mark.parametrize("lines", [[""], ["", "", ""], ["sep=;"]])
def test_an_empty_table_is_called_empty(folder: Path, lines: list[str]) -> None:
    with pytest.raises(InvalidTable, match="the table is empty"):
        read_pairs_table(table(folder, *lines))
