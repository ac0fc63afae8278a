"""The five sentences, on made-up results whose story is known."""

from __future__ import annotations

from typing import Any

from longitudinal_al.experiments.summary import caveats, summary_sentences


def test_five_lines_tell_the_story(made_up_results: dict[str, Any]) -> None:
    best, efficiency, against, threshold, care = summary_sentences(made_up_results)
    assert best.startswith("Best strategy: difference, lesion Dice 0.7")
    assert "with 8.4 % of the pool labelled" in best
    assert "full labelling (Dice 0.780) less 0.03 with 5.6 % of the pool" in efficiency
    assert against.startswith("Against random: +0.1")
    assert against.endswith("so it beats it.")
    assert "0.310" in threshold
    assert "ends with more" in threshold
    assert "6 test patients only" in care
    assert "simulated" in care


def test_failures_are_told_as_plainly(make_results: Any) -> None:
    results = make_results({"random": 9.0, "entropy": 40.0}, seeds=1, rounds=2, patients=1)
    results["difference_threshold"]["dice"] = 0.9
    best, efficiency, against, threshold, care = summary_sentences(results)
    assert best.startswith("Best strategy: random")
    assert efficiency.startswith("It does not reach full labelling")
    assert against.startswith("No strategy beats random: the next, entropy, is at -0.")
    assert "ends with no more" in threshold
    assert "1 seed only" in care
    assert "1 test patient only" in care


def test_one_seed_on_one_patient_proves_nothing(make_results: Any) -> None:
    lines = summary_sentences(make_results({"random": 40.0, "entropy": 9.0}, seeds=1, patients=1))
    assert "the whole interval does not" in lines[1]
    assert lines[2].endswith("cannot prove.")


def test_what_was_not_run_is_said(make_results: Any) -> None:
    results = make_results({"entropy": 9.0}, seeds=1)
    results["full"] = {"dice": None, "lesion_f1": None}
    del results["difference_threshold"]
    lines = summary_sentences(results)
    assert len(lines) == 5
    assert "Full labelling was not run" in lines[1]
    assert "Nothing to compare with random" in lines[2]
    assert "was not measured" in lines[3]


def test_no_dice_at_all_is_one_sentence(make_results: Any) -> None:
    results = make_results({"random": 9.0}, seeds=1)
    for entry in results["results"]:
        for figures in entry["per_patient"].values():
            figures["dice"] = None
    assert len(summary_sentences(results)) == 1


def test_caveats_shrink_with_seeds_and_patients(make_results: Any) -> None:
    many = caveats(make_results({"random": 9.0}, seeds=5, patients=12))
    assert many == ["the labels are simulated from reference masks"]
    assert len(caveats(make_results({"random": 9.0, "entropy": 8.0}, seeds=4, patients=9))) == 4


def test_lines_can_be_printed_on_any_terminal(made_up_results: dict[str, Any]) -> None:
    for line in summary_sentences(made_up_results):
        line.encode("cp1252")
