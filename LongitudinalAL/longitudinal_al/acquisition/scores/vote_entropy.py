"""Query by committee: how divided the votes of several networks are."""

from __future__ import annotations

import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import DEFAULT, aggregate
from longitudinal_al.acquisition.scores.members import need_several
from longitudinal_al.acquisition.scores.pixelwise import binary_entropy


def vote_entropy(predictions: Predictions, aggregation: str = DEFAULT) -> torch.Tensor:
    """Return H(V / K), V of the K members voting for change (p >= 0.5), best patch: (n,) in [0, log 2].

    Only sides count: members that are unsure but on one side agree. With K members there are few values, so
    many slice pairs tie; ``bald`` is the soft form. O(K) a pixel. Use it with an ensemble of an odd number of
    members. Papers: Seung, Opper and Sompolinsky, "Query by committee", COLT 1992; the entropy of votes:
    Dagan and Engelson, "Committee-based sampling for training probabilistic classifiers", ICML 1995.

    Raises
    ------
    NotReady
        There is one member only.
    """
    need_several(predictions, "vote_entropy")
    votes = torch.zeros_like(predictions.members[0], dtype=torch.float32)
    for member in predictions.members:
        votes.add_(torch.where(member.isnan(), member.float(), (member >= 0.5).float()))
    return aggregate(
        binary_entropy(votes.div_(len(predictions.members))), predictions.foreground, aggregation
    )
