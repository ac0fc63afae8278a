"""The check in front of every score that compares several predictions of one slice pair."""

from __future__ import annotations

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.errors import NotReady


def need_several(predictions: Predictions, name: str) -> None:
    """Refuse a single prediction.

    Raises
    ------
    NotReady
        There is one member only; the message names the score.
    """
    if predictions.members.shape[0] < 2:
        raise NotReady(
            f"{name} compares several predictions of each slice pair, and there is one: "
            "train an ensemble, or predict with dropout switched on"
        )
