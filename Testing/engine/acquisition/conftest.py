"""Small pools and predictions for the acquisition tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from longitudinal_al.acquisition.candidates import Candidates, LabelledSlices
from longitudinal_al.acquisition.predictions import Predictions

PAIRS_A_PATIENT = 2


def _columns(numbers: np.ndarray, slices: int, spacing_mm: float) -> dict[str, np.ndarray]:
    pair = numbers // slices
    return {
        "pair": np.char.add("pair", pair.astype(str)),
        "patient": np.char.add("patient", (pair // PAIRS_A_PATIENT).astype(str)),
        "slice": numbers % slices,
        "position_mm": (numbers % slices) * spacing_mm,
    }


@pytest.fixture(scope="session")
def make_pool() -> Callable[..., Candidates]:
    """Return a builder of pools: ``count`` slice pairs with all columns, of which some are labelled."""

    def make(
        count: int,
        *,
        labelled: int = 0,
        slices: int = 6,
        spacing_mm: float = 3.0,
        width: int = 4,
        seed: int = 0,
        score: np.ndarray | None = None,
        features: np.ndarray | None = None,
        round_number: int = 1,
    ) -> Candidates:
        generator = np.random.default_rng(seed)
        values = generator.random(count) if score is None else np.asarray(score, dtype=float)
        rows = generator.normal(size=(count, width)) if features is None else np.asarray(features)
        further = {
            "difference": 9 * generator.random(count),
            "change_score": generator.random(count) * values,
            "predicted_change": 99 * generator.random(count),
            "sure_change": 3 * generator.random(count),
            "seconds": 5 + 60 * generator.random(count),
            "held_back": (np.arange(count) // slices) % 5 == 4,
        }
        known = np.zeros(count, dtype=bool)
        known[generator.permutation(count)[:labelled]] = True
        all_numbers = np.arange(count)
        done = LabelledSlices(**_columns(all_numbers[known], slices, spacing_mm), features=rows[known])
        return Candidates(
            **_columns(all_numbers[~known], slices, spacing_mm),
            score=values[~known],
            features=rows[~known],
            labelled=done,
            **{name: column[~known] for name, column in further.items()},
            round=round_number,
            rounds=4,
        )

    return make


@pytest.fixture(scope="session")
def make_predictions() -> Callable[..., Predictions]:
    """Return a builder of predictions from probabilities, with members in front or without."""

    def make(
        members: torch.Tensor,
        difference: torch.Tensor | None = None,
        foreground: torch.Tensor | None = None,
        **further: torch.Tensor,
    ) -> Predictions:
        members = members[None] if members.ndim == 3 else members
        shape = members.shape[1:]
        return Predictions(
            members,
            torch.zeros(shape) if difference is None else difference,
            torch.ones(shape, dtype=torch.bool) if foreground is None else foreground,
            **further,
        )

    return make
