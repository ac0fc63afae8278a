"""What is found where nothing has changed: measured on real pairs, and told in a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from longitudinal_al.experiments.false_detections import false_detection_lines
from longitudinal_al.experiments.held_out import TestPairs


@pytest.mark.parametrize("has_change", [True, False])
def test_a_pair_without_change_is_measured_by_what_is_falsely_found(small_project, has_change: bool) -> None:
    test = TestPairs(small_project)
    masks = {}
    for name, reference in test.references.items():
        if not has_change:
            test.references[name] = np.zeros_like(reference)
        mask = np.zeros_like(reference)
        mask[4:6, 20:30, 20:30] = True
        mask[8, 50:60, 50:60] = True
        masks[name] = mask
    found = test.compare(masks)
    if has_change:
        assert found.dice is not None and found.false_lesions is None
        return
    assert (found.dice, found.lesion_f1) == (None, None)
    assert found.false_lesions == 2.0
    pair = next(iter(test.pool.pairs.values()))
    assert found.false_volume_mm3 == pytest.approx(300 * np.prod(pair.record.spacing_mm))
    assert set(found.as_dict()) == {"dice", "lesion_f1", "false_lesions", "false_volume_mm3", "per_patient"}


def results_with(figures: dict[str, Any]) -> dict[str, Any]:
    changed = {"dice": 0.5, "lesion_f1": 0.5}
    entries = [
        {
            **{"strategy": name, "seed": 0, "round": number, "labelled": number, "fraction": number / 100},
            "per_patient": {"P1": changed, "P2": {"false_lesions": count, "false_volume_mm3": 9.6 * count}},
        }
        for name, counts in figures.items()
        for number, count in enumerate(counts, start=1)
    ]
    return {"results": entries, "full": {"dice": 0.8, "false_lesions": 0.25, "false_volume_mm3": 4.0}}


def test_the_table_has_full_labelling_and_every_arm_at_each_share() -> None:
    lines = list(false_detection_lines(results_with({"a": [3.0, 1.0], "b": [2.0, 0.0]}), ["b", "a"]))
    assert lines[1] == "| arm | 1.0 % | 2.0 % |"
    assert lines[3] == "| full labelling | | 0.25 (4 mm³) |"
    assert lines[4] == "| `b` | 2.00 (19 mm³) | 0.00 (0 mm³) |"
    assert lines[5] == "| `a` | 3.00 (29 mm³) | 1.00 (10 mm³) |"


def test_where_it_was_not_measured_there_is_no_table(made_up_results: dict[str, Any]) -> None:
    assert list(false_detection_lines(made_up_results, ["random"])) == []
