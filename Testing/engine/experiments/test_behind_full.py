"""The tables of what is missing to full labelling; the differences are known."""

from __future__ import annotations

from typing import Any

from longitudinal_al.experiments.behind_full import behind_lines


def test_each_cell_is_the_mean_difference_to_full_labelling(made_up_results: dict[str, Any]) -> None:
    lines = list(behind_lines(made_up_results, ["difference", "random"]))
    heads = [line for line in lines if "less that of full labelling" in line]
    assert len(heads) == 2 and "Dice" in heads[0] and "F1" in heads[1]
    rows = [line for line in lines if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == ["difference", "random"] * 2
    found = [e for e in made_up_results["results"] if e["strategy"] == "random" and e["round"] == 1]
    behind = sum(entry["dice"] for entry in found) / len(found) - made_up_results["full"]["dice"]
    assert rows[1].split(" | ")[1].startswith(f"{behind:+.3f} (")


def test_a_shorter_run_has_empty_cells_and_without_full_labelling_there_is_no_table(
    make_results: Any,
) -> None:
    results = make_results({"random": 30.0, "difference": 6.0}, rounds=4)
    results["results"] = [e for e in results["results"] if e["strategy"] == "random" or e["round"] < 3]
    rows = [line for line in behind_lines(results, ["difference"]) if line.startswith("| `")]
    assert all(row.endswith("| – | – |") for row in rows) and len(rows) == 2
    assert list(behind_lines({**results, "full": {}}, ["random"])) == []
