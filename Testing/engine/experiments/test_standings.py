"""Standings of made-up strategies whose order is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from longitudinal_al.experiments.standings import leads, summarise, win_matrix

ORDER = ["difference", "hybrid", "entropy", "random"]


def test_best_first_by_area_with_intervals_around_it(made_up_results: dict[str, Any]) -> None:
    rows = summarise(made_up_results)
    assert [row.strategy for row in rows] == ORDER
    for row in rows:
        assert row.area.low < row.area.mean < row.area.high
        assert row.last_fraction == pytest.approx(42 / 500)
    assert rows[0].area.mean > rows[-1].area.mean + 0.1


def test_reaching_full_labelling_surely_is_never_earlier(made_up_results: dict[str, Any]) -> None:
    rows = {row.strategy: row for row in summarise(made_up_results)}
    # 0.8 · (1 − exp(−28 / 9)) = 0.764 is the first above 0.78 − 0.03.
    assert rows["difference"].reaches == pytest.approx(28 / 500)
    assert rows["difference"].surely_reaches >= rows["difference"].reaches
    assert (rows["random"].reaches, rows["random"].surely_reaches) == (None, None)


def test_a_mean_within_the_margin_is_not_sure_when_a_patient_is_far_below(make_results: Any) -> None:
    results = make_results({"random": 20.0}, seeds=1, rounds=1, patients=2)
    results["results"][0]["per_patient"] = {"P01": {"dice": 0.85}, "P02": {"dice": 0.64}}
    results["full"] = {"dice": 0.75, "per_patient": {"P01": {"dice": 0.8}, "P02": {"dice": 0.7}}}
    (row,) = summarise(results)
    assert (row.reaches, row.surely_reaches) == (7 / 500, None)


def test_against_random_is_paired(made_up_results: dict[str, Any]) -> None:
    rows = summarise(made_up_results)
    assert rows[-1].against_random is None
    best = rows[0]
    assert best.against_random.mean == pytest.approx(best.area.mean - rows[-1].area.mean)
    # Patients differ by 0.16, which pairing takes out.
    assert best.against_random.high - best.against_random.low < 0.2 * (best.area.high - best.area.low)


def test_a_strategy_leads_each_other_one_by_what_its_area_is_larger(made_up_results: dict[str, Any]) -> None:
    areas = {row.strategy: row.area.mean for row in summarise(made_up_results)}
    found = leads(made_up_results, "hybrid")
    assert set(found) == set(ORDER) - {"hybrid"}
    for other, lead in found.items():
        assert lead.mean == pytest.approx(areas["hybrid"] - areas[other])
        assert lead.low <= lead.mean <= lead.high
    assert found["random"].low > 0 > found["difference"].high
    assert leads(made_up_results, "recipe") == {}


def test_without_random_or_shared_seeds_there_is_no_comparison(make_results: Any) -> None:
    alone = summarise(make_results({"entropy": 12.0}))
    assert alone[0].against_random is None
    apart = make_results({"random": 20.0, "entropy": 12.0}, seeds=2)
    for entry in apart["results"]:
        entry["seed"] += 10 * (entry["strategy"] == "entropy")
    assert [row.against_random for row in summarise(apart)] == [None, None]
    assert np.isnan(win_matrix(apart)[1]).all()


def test_a_strategy_that_ran_fewer_seeds_is_compared_on_those(make_results: Any) -> None:
    results = make_results({"random": 20.0, "entropy": 12.0}, seeds=3)
    results["results"] = [one for one in results["results"] if one["strategy"] == "random" or one["seed"] < 2]
    best = summarise(results)[0]
    assert best.strategy == "entropy"
    assert best.against_random.low > 0


def test_wins_add_up_and_the_best_wins(made_up_results: dict[str, Any]) -> None:
    names, wins = win_matrix(made_up_results)
    assert names == ORDER
    pairs = ~np.eye(4, dtype=bool)
    assert (wins + wins.T)[pairs] == pytest.approx(1.0)
    assert np.isnan(np.diag(wins)).all()
    assert wins[0, 3] == 1.0


def test_ties_count_half(make_results: Any) -> None:
    results = make_results({"random": 20.0}, seeds=2)
    results["results"] += [{**one, "strategy": "again"} for one in results["results"]]
    _, wins = win_matrix(results)
    assert wins[0, 1] == wins[1, 0] == 0.5


def test_a_measure_that_is_never_defined_gives_no_rows(make_results: Any) -> None:
    results = make_results({"random": 20.0}, seeds=1)
    for entry in results["results"]:
        for figures in entry["per_patient"].values():
            figures["lesion_f1"] = None
    assert summarise(results, "lesion_f1") == []
    assert len(summarise(results, "dice")) == 1


def test_written_again_it_is_the_same_word_for_word(made_up_results: dict[str, Any]) -> None:
    assert summarise(made_up_results) == summarise(made_up_results)
