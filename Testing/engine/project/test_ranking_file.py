"""The newest ranking says what asked for a slice pair; without it, nothing did."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from longitudinal_al.frontend.ranking import RankingReader
from longitudinal_al.project.files import read_json
from longitudinal_al.project.ranking_file import (
    RankingHead,
    Request,
    ranking_is_sound,
    ranking_path,
    request_for,
    write_complete_ranking,
    write_ranking,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


def test_the_newest_ranking_counts(tmp_path: Path) -> None:
    assert request_for(tmp_path, "a", 3) is None
    write_ranking(tmp_path, "random", 1, [{"pair": "a", "slice": 3, "score": None}])
    assert request_for(tmp_path, "A", 3) == Request("random", None)
    write_ranking(tmp_path, "entropy", 1, [{"pair": "b", "slice": 4, "score": 0.5, "reason": "é"}])
    assert request_for(tmp_path, "b", 4) == Request("entropy", 0.5)
    assert request_for(tmp_path, "b", 5) is None
    assert request_for(tmp_path, "a", 3) is None


@pytest.mark.parametrize("content", ["", "[]", "3", '{"ranking": [1]}', '{"ranking": [{"pair": "a"}]}'])
def test_a_damaged_ranking_asks_for_nothing(tmp_path: Path, content: str) -> None:
    write_ranking(tmp_path, "random", 1, [])
    ranking_path(tmp_path).write_text(content, encoding="utf-8")
    assert request_for(tmp_path, "a", 3) is None


def head(**other: object) -> RankingHead:
    facts = {
        "strategy": "entropy",
        "seed": 7,
        "labels": 2,
        "model": "models/live.safetensors",
        "spacing_mm": 4.5,
        "thickness_mm": {"ä": 3.0},
        "scored": 1,
        "total": 2,
        "written": NOON,
    }
    return RankingHead(**{**facts, **other})


def entry(pair: str, index: int, **other: object) -> str:
    return json.dumps({"pair": pair, "patient": "Ö", "slice": index, "score": 0.5, "reason": "ö"} | other)


def test_a_complete_ranking_says_all_of_its_head_and_of_its_entries(tmp_path: Path) -> None:
    entries = [entry("ä", 3), entry("ä", 9, strategy="difference", score=None)]
    write_complete_ranking(tmp_path, head(), entries)
    saved = read_json(ranking_path(tmp_path))
    assert saved.pop("ranking") == [json.loads(each) for each in entries]
    assert saved == {**vars(head()), "written": NOON.isoformat()}
    assert request_for(tmp_path, "ä", 3) == Request("entropy", 0.5)
    assert request_for(tmp_path, "ä", 9) == Request("difference", None)
    assert ranking_is_sound(tmp_path)


def test_a_front_end_reads_a_complete_ranking_as_it_was_meant(tmp_path: Path) -> None:
    write_complete_ranking(tmp_path, head(), [entry("ä", 3), entry("ä", 9, strategy="difference")])
    reader = RankingReader(tmp_path)
    while (read := reader.look()) is None:
        assert reader.is_reading
    assert [(*each.key, each.strategy) for each in read.entries] == [
        ("ä", 3, "entropy"),
        ("ä", 9, "difference"),
    ]
    assert (read.complete, read.spacing_mm, read.thickness_mm) == (True, 4.5, {"ä": 3.0})
    assert (read.labels, read.scored) == (2, 1)


def test_an_empty_ranking_is_complete_and_replaces_the_one_before(tmp_path: Path) -> None:
    write_complete_ranking(tmp_path, head(), [entry("ä", 3)])
    write_complete_ranking(tmp_path, head(total=0, model=None, spacing_mm=float("inf")), iter(()))
    saved = read_json(ranking_path(tmp_path))
    assert (saved["ranking"], saved["total"], saved["model"], saved["spacing_mm"]) == ([], 0, None, None)
    assert ranking_is_sound(tmp_path)
    assert [path.name for path in ranking_path(tmp_path).parent.iterdir()] == ["ranking.json"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"strategy": 1, "ranking": []}',
        '{"ranking": []}',
        '{"strategy": "entropy"}',
        '{"strategy": "entropy", "ranking": 3}',
        '{"strategy": "entropy", "ranking": [1]}',
        '{"strategy": "entropy", "ranking": [{"pair": "a"}]}',
        '{"strategy": "entropy", "ranking": [{"pair": "a", "slice": "3"}]}',
        '{"strategy": "entropy", "ranking": [{"pair": "a", "slice": true}]}',
        '{"strategy": "entropy", "ranking": [{"pair": 1, "slice": 3}]}',
    ],
)
def test_a_damaged_ranking_is_told_from_a_sound_one(tmp_path: Path, content: str) -> None:
    assert not ranking_is_sound(tmp_path), "there is none"
    write_ranking(tmp_path, "random", 1, [{"pair": "a", "slice": 3, "score": None}])
    assert ranking_is_sound(tmp_path)
    ranking_path(tmp_path).write_text(content, encoding="utf-8")
    assert not ranking_is_sound(tmp_path)


def test_a_ranking_that_was_cut_anywhere_is_not_sound(tmp_path: Path) -> None:
    write_complete_ranking(tmp_path, head(), [entry("ä", 3), entry("ä", 9)])
    whole = ranking_path(tmp_path).read_bytes()
    for length in range(len(whole.rstrip())):
        ranking_path(tmp_path).write_bytes(whole[:length])
        assert not ranking_is_sound(tmp_path), length
