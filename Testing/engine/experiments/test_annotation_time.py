"""Curves against hours, of made-up results whose hours and heights are known."""

from __future__ import annotations

from typing import Any

import pytest

from longitudinal_al.experiments.annotation_time import time_efficiency, time_lines

FULL = 0.8


def results_with(hours: dict[str, list[float]], heights: dict[str, list[float]]) -> dict[str, Any]:
    """Return results of two seeds and two patients; the second seed takes half an hour more."""
    entries = [
        {
            "strategy": name,
            "seed": seed,
            "round": number,
            "labelled": 5 * number,
            "fraction": number / 50,
            "seconds": 3600 * (hour + seed / 2),
            "time_model": "assumed",
            "per_patient": {each: {"dice": height, "lesion_f1": height} for each in ("P1", "P2")},
        }
        for name in hours
        for seed in range(2)
        for number, (hour, height) in enumerate(zip(hours[name], heights[name], strict=True), start=1)
    ]
    return {"results": entries, "full": {"dice": FULL, "lesion_f1": FULL}}


def made_up() -> dict[str, Any]:
    return results_with(
        {"quick": [0.75, 1.75, 2.75], "slow": [1.75, 3.75, 5.75]},
        {"quick": [0.5, 0.7, 0.78], "slow": [0.6, 0.7, 0.75]},
    )


def test_hours_areas_and_when_full_labelling_is_reached() -> None:
    found = {one.strategy: one for one in time_efficiency(made_up())}
    assert found["quick"].hours == (1.0, 2.0, 3.0)
    assert found["slow"].hours == (2.0, 4.0, 6.0)
    assert found["quick"].area.mean == pytest.approx(0.74)  # from 2 to 3 hours
    assert found["slow"].area.mean == pytest.approx(0.625)
    assert (found["quick"].reaches, found["slow"].reaches) == (3.0, None)


def test_both_measures_have_to_reach_it() -> None:
    results = made_up()
    for entry in results["results"]:
        for figures in entry["per_patient"].values():
            figures["lesion_f1"] = 0.5
    assert [one.reaches for one in time_efficiency(results)] == [None, None]


def test_the_table_names_the_time_model() -> None:
    page = "\n".join(time_lines(made_up(), ["quick", "slow"]))
    assert "time model: assumed" in page
    assert "| arm | 2.0 % | 4.0 % | 6.0 % | area against hours | hours to reach |" in page
    assert "| `quick` | 1.00 | 2.00 | 3.00 | 0.740 (0.740 to 0.740) | 3.00 |" in page
    assert "| `slow` | 2.00 | 4.00 | 6.00 | 0.625 (0.625 to 0.625) | not reached |" in page


def test_arms_without_common_hours_have_no_area() -> None:
    results = results_with(
        {"quick": [0.1, 0.2], "slow": [3.0, 4.0]}, {"quick": [0.5, 0.6], "slow": [0.5, 0.6]}
    )
    assert [one.area for one in time_efficiency(results)] == [None, None]
    assert "| – | not reached |" in "\n".join(time_lines(results, ["quick", "slow"]))


def test_without_times_there_is_no_table() -> None:
    results = made_up()
    results["results"][0].pop("seconds")
    assert list(time_lines(results, ["quick", "slow"])) == []
