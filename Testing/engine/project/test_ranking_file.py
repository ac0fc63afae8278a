"""The newest ranking says what asked for a slice pair; without it, nothing did."""

from __future__ import annotations

from pathlib import Path

import pytest

from longitudinal_al.project.ranking_file import Request, ranking_path, request_for, write_ranking


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
