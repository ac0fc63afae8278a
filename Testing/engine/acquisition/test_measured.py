"""What was measured of the strategies: read from the shipped file, and in step with the docs."""

from pathlib import Path

from longitudinal_al.acquisition.measured import (
    FULL,
    NOT_MEASURED,
    SMALL,
    cost_in_words,
    efficiency_in_words,
    measured,
)
from longitudinal_al.acquisition.strategies import STRATEGIES, strategies_table
from longitudinal_al.cli.strategies import markdown

PAGE = Path(__file__).resolve().parents[3] / "docs" / "strategies.md"
FOUND = {
    "seconds": {"entropy": 0.71},
    "efficiency": {
        FULL: {
            "entropy": {"area": 0.412, "low": 0.36, "high": 0.451, "reaches": 0.08},
            "random": {"area": 0.2, "low": 0.1, "high": 0.3, "reaches": None},
        },
        SMALL: {"bald": {"area": 0.3, "low": 0.2, "high": 0.4, "reaches": None}},
    },
}


def test_figures_in_words():
    assert cost_in_words("entropy", FOUND) == "0.71 s"
    assert efficiency_in_words("entropy", FULL, FOUND) == "0.41 [0.36, 0.45]; 8.0 %"
    assert efficiency_in_words("random", FULL, FOUND) == "0.20 [0.10, 0.30]; never"
    assert efficiency_in_words("bald", SMALL, FOUND) == "0.30 [0.20, 0.40]; never"
    assert cost_in_words("random", FOUND) == efficiency_in_words("bald", FULL, FOUND) == NOT_MEASURED


def test_the_cost_of_every_strategy_was_measured():
    assert set(measured()["seconds"]) == set(STRATEGIES)
    assert all(row["measured_cost"] != NOT_MEASURED for row in strategies_table())


def test_every_strategy_was_measured_in_the_small_experiment():
    assert set(measured()["efficiency"][SMALL]) == set(STRATEGIES)


def test_the_table_of_the_docs_is_the_one_of_the_code():
    assert "\n".join(markdown(strategies_table())) in PAGE.read_text(encoding="utf-8")


def test_every_strategy_has_its_formula_in_the_docs():
    formulas = PAGE.read_text(encoding="utf-8").split("## Formulas")[1].split("##")[0]
    assert all(f"`{name}`" in formulas for name in STRATEGIES)
