"""The ranking as the front end reads it: only when it changed, bit by bit, and never with an error."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longitudinal_al.frontend.ranking import SPACING_MM, Entry, Ranking, RankingReader
from longitudinal_al.project.files import write_json
from longitudinal_al.project.ranking_file import ranking_path, write_ranking

ENTRY = {"pair": "a", "patient": "Zoë", "slice": 3, "score": 0.5, "reason": "uncertain here"}
WHOLE = {
    "strategy": "entropy",
    "spacing_mm": 4,
    "thickness_mm": {"a": 3.0, "bad": None},
    "labels": 7,
    "scored": 1,
    "total": 2,
    "ranking": [ENTRY, {**ENTRY, "slice": 9, "score": None}],
}


def read(folder: Path, budget: float = 1.0) -> Ranking | None:
    reader = RankingReader(folder, budget)
    ranking = reader.look()
    while reader.is_reading:
        ranking = reader.look()
    return ranking


def test_everything_comes_back(tmp_path: Path) -> None:
    write_json(ranking_path(tmp_path), WHOLE)
    ranking = read(tmp_path)
    assert ranking == Ranking(
        (
            Entry("a", 3, "Zoë", 0.5, "uncertain here", "entropy"),
            Entry("a", 9, "Zoë", None, "uncertain here", "entropy"),
        ),
        "entropy",
        4.0,
        {"a": 3.0},
        True,
        7,
        1,
    )


def test_a_batch_of_the_command_line_is_no_whole_pool(tmp_path: Path) -> None:
    write_ranking(tmp_path, "difference", 0, [ENTRY])
    ranking = read(tmp_path)
    assert (ranking.complete, ranking.spacing_mm, ranking.thickness_mm) == (False, SPACING_MM, {})


def test_it_is_read_only_when_it_changed(tmp_path: Path) -> None:
    reader = RankingReader(tmp_path)
    assert reader.look() is None
    write_json(ranking_path(tmp_path), WHOLE)
    assert reader.look() is not None
    assert reader.look() is None
    write_json(ranking_path(tmp_path), {**WHOLE, "ranking": []})
    assert reader.look().entries == ()


def test_a_long_one_is_read_over_several_looks(tmp_path: Path) -> None:
    entries = [{**ENTRY, "slice": index} for index in range(3000)]
    write_json(ranking_path(tmp_path), {**WHOLE, "ranking": entries})
    reader = RankingReader(tmp_path, budget_seconds=0.0)
    looks = 1
    while (ranking := reader.look()) is None:
        assert reader.is_reading
        looks += 1
    assert [entry.slice for entry in ranking.entries] == list(range(3000))
    assert looks > 10


@pytest.mark.parametrize(
    "changes",
    [
        {"ranking": [{"pair": "a"}]},
        {"ranking": [{**ENTRY, "slice": -1}]},
        {"ranking": [{**ENTRY, "slice": True}]},
        {"ranking": [{**ENTRY, "pair": 3}]},
        {"ranking": [7]},
        {"ranking": {"a": 3}},
        {"ranking": None},
    ],
)
def test_what_makes_no_sense_is_no_ranking(tmp_path: Path, changes: dict[str, object]) -> None:
    write_json(ranking_path(tmp_path), {**WHOLE, **changes})
    assert read(tmp_path) is None


def test_a_damaged_one_is_passed_over_until_it_is_made_again(tmp_path: Path) -> None:
    whole = json.dumps(WHOLE).encode()
    path = ranking_path(tmp_path)
    path.parent.mkdir()
    reader = RankingReader(tmp_path)
    too_large = json.dumps({**WHOLE, "ranking": [{**ENTRY, "score": 10**400}]}).encode()
    for number, damaged in enumerate(
        [b"", b"\xff\xfe", b"[]", whole[:-1], whole[:-40], whole[:100], whole * 2, too_large]
    ):
        path.write_bytes(damaged)
        os.utime(path, ns=(number, number))
        assert reader.look() is None
        assert not reader.is_reading
    path.write_bytes(whole)
    assert len(reader.look().entries) == 2


@settings(deadline=None)
@given(cut=st.integers(0, 400), junk=st.binary(max_size=4))
def test_no_bytes_make_it_raise(tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes) -> None:
    whole = json.dumps(WHOLE).encode()
    folder = tmp_path_factory.mktemp("any")
    path = ranking_path(folder)
    path.parent.mkdir()
    path.write_bytes(whole[:cut] + junk + whole[cut + len(junk) :])
    ranking = read(folder)
    assert ranking is None or all(isinstance(entry, Entry) for entry in ranking.entries)
