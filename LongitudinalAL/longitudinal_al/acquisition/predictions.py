"""What a score sees: the predictions of a few slice pairs, without any label."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from longitudinal_al.errors import InvalidInput


@dataclass(frozen=True)
class Predictions:
    """A streamed part of the pool: change probabilities, difference and foreground.

    A score may use nothing else: there is no label, no reference and no identity here.

    Parameters
    ----------
    members
        Probabilities of change, (members, n, rows, columns) in [0, 1]: K members of an ensemble or K
        passes with dropout switched on; one member is enough for the scores that need no disagreement.
    difference
        Signed difference of follow-up and baseline in robust z, (n, rows, columns).
    foreground
        Which pixels count, bool, (n, rows, columns).

    Raises
    ------
    InvalidInput
        The shapes do not belong together.
    """

    members: torch.Tensor
    difference: torch.Tensor
    foreground: torch.Tensor

    def __post_init__(self) -> None:
        if self.members.ndim != 4 or self.members.shape[0] == 0:
            raise InvalidInput(
                "predictions need the shape (members, n, rows, columns) with at least one member, "
                f"but have {tuple(self.members.shape)}"
            )
        expected = self.members.shape[1:]
        for name in ("difference", "foreground"):
            found = getattr(self, name).shape
            if found != expected:
                raise InvalidInput(
                    f"the {name} has the shape {tuple(found)}, the predictions {tuple(expected)}: "
                    "both must come from the same slice pairs"
                )
        if self.foreground.dtype != torch.bool:
            raise InvalidInput(f"the foreground must be bool, but is {self.foreground.dtype}")

    def __len__(self) -> int:
        """Return the number of slice pairs."""
        return int(self.members.shape[1])

    def mean(self) -> torch.Tensor:
        """Return the mean probability over the members, float32 in [0, 1], (n, rows, columns); NaN stays."""
        total = self.members[0].float().clamp(0.0, 1.0)
        for member in self.members[1:]:
            total.add_(member.float().clamp(0.0, 1.0))
        return total.div_(self.members.shape[0])
