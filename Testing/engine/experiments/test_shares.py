"""Progress over jobs of different length."""

from __future__ import annotations

import pytest

from longitudinal_al.experiments.shares import share_of_all


@pytest.mark.parametrize(
    ("job", "share", "all_done"), [(0, 0.0, 0.0), (0, 0.5, 0.3), (1, 0.0, 0.6), (1, 1.0, 0.9), (2, 1.0, 1.0)]
)
def test_long_jobs_count_for_more(job: int, share: float, all_done: float) -> None:
    assert share_of_all([6, 3, 1], job, share) == pytest.approx(all_done)
