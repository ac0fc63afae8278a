"""Foreground efficiency of made-up curves whose rates are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from longitudinal_al.experiments import foreground_efficiency as module
from longitudinal_al.experiments.foreground_efficiency import foreground_efficiency, foreground_lines

FULL, START = 0.8, 0.2


def results_with(rates: dict[str, float], first: float = 0.05) -> dict[str, Any]:
    """Return results of two patients, three seeds and four rounds, exactly on the curves of some rates."""
    shares = first + np.array([0.0, 0.05, 0.1, 0.2])
    entries = []
    for name, rate in rates.items():
        for seed in range(3):
            for number, share in enumerate(shares, start=1):
                height = FULL - (FULL - START) * np.exp(-rate * (share - first))
                each = {"P1": {"dice": height + 0.02}, "P2": {"dice": height - 0.02}, "P3": {}}
                place = {"strategy": name, "seed": seed, "round": number, "foreground": share}
                entries.append(
                    {**place, "labelled": 5 * number, "fraction": number / 50, "per_patient": each}
                )
    full = {"dice": FULL, "per_patient": {"P1": {"dice": FULL + 0.02}, "P2": {"dice": FULL - 0.02}}}
    full["per_patient"]["P3"] = {}
    return {"results": entries, "full": full}


def test_the_rate_of_a_curve_is_found() -> None:
    found = {one.strategy: one for one in foreground_efficiency(results_with({"slow": 3.0, "fast": 20.0}))}
    assert found["slow"].efficiency.mean == pytest.approx(3.0, rel=0.01)
    assert found["fast"].efficiency.mean == pytest.approx(20.0, rel=0.01)
    assert found["fast"].efficiency.low <= found["fast"].efficiency.mean <= found["fast"].efficiency.high
    assert found["slow"].labelled == pytest.approx(0.25)


def test_the_interval_is_that_of_seeds_and_patients() -> None:
    results = results_with({"one": 6.0})
    for entry in results["results"]:
        entry["per_patient"]["P1"]["dice"] += 0.1 * (entry["seed"] - 1)
    (one,) = foreground_efficiency(results)
    assert one.efficiency.low < 5.5 < 6.5 < one.efficiency.high


@pytest.mark.parametrize("gap", ["no full labelling", "no share of change", "no gap"])
def test_without_what_it_rests_on_there_is_none(gap: str) -> None:
    results = results_with({"one": 6.0})
    if gap == "no full labelling":
        results["full"] = {}
    elif gap == "no share of change":
        results["results"][0].pop("foreground")
    else:
        results["full"] = {"dice": START + 0.02}
    assert foreground_efficiency(results) == []
    assert list(foreground_lines(results, ["one"])) == []


def test_the_table_keeps_the_order_it_is_given() -> None:
    lines = list(foreground_lines(results_with({"slow": 3.0, "fast": 20.0}), ["fast", "slow"]))
    assert lines[-2].startswith("| `fast` | 25.0 % | 20.")
    assert lines[-1].startswith("| `slow` | 25.0 % | 3.0")


def test_a_rate_that_the_curve_does_not_tell_is_not_written_in_digits(monkeypatch) -> None:
    monkeypatch.setattr(module, "HIGHEST", 100.0)
    line = list(foreground_lines(results_with({"at once": 5000.0}), ["at once"]))[-1]
    assert "| over 100 (" in line
