"""What a score sees: the predictions of a few slice pairs, without any label."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from longitudinal_al.errors import InvalidInput, NotReady


@dataclass(frozen=True)
class Predictions:
    """A streamed part of the pool: change probabilities, difference and foreground, and what a score needs.

    A score may use nothing else: there is no label and no identity here, and no reference outside of
    simulations. Every field but the first three is None unless the strategy needs it (see ``Needs``).

    Parameters
    ----------
    members
        Probabilities of change, (members, n, rows, columns) in [0, 1]: K members of an ensemble or K
        passes with dropout switched on; one member is enough for the scores that need no disagreement.
    difference
        Signed difference of follow-up and baseline in robust z, (n, rows, columns).
    foreground
        Which pixels count, bool, (n, rows, columns).
    variants
        Mean probabilities under changes of the input, turned back onto the grid of the input,
        (variants, n, rows, columns) float32 in [0, 1].
    attention
        Where the network looks, each slice pair scaled to [0, 1], (n, rows, columns) float32.
    predicted_loss
        The network's own guess of its loss, (n,) float32.
    expected_misalignment
        1 - Dice of attention and label, regressed on the labelled slice pairs, (n,) float32 in [0, 1].
    reference
        Where the reference has change, bool, (n, rows, columns): in simulations only.

    Raises
    ------
    InvalidInput
        The shapes do not belong together.
    """

    members: torch.Tensor
    difference: torch.Tensor
    foreground: torch.Tensor
    variants: torch.Tensor | None = None
    attention: torch.Tensor | None = None
    predicted_loss: torch.Tensor | None = None
    expected_misalignment: torch.Tensor | None = None
    reference: torch.Tensor | None = None

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
        for name in ("foreground", "reference"):
            mask = getattr(self, name)
            if mask is not None and mask.dtype != torch.bool:
                raise InvalidInput(f"the {name} must be bool, but is {mask.dtype}")
        self._check_optional()

    def _check_optional(self) -> None:
        pictures = tuple(self.members.shape[1:])
        for name, expected in (
            ("attention", pictures),
            ("reference", pictures),
            ("predicted_loss", pictures[:1]),
            ("expected_misalignment", pictures[:1]),
        ):
            found = getattr(self, name)
            if found is not None and tuple(found.shape) != expected:
                raise InvalidInput(f"{name} has the shape {tuple(found.shape)}, but needs {expected}")
        if self.variants is not None and (
            self.variants.ndim != 4 or tuple(self.variants.shape[1:]) != pictures or not len(self.variants)
        ):
            raise InvalidInput(
                f"variants have the shape {tuple(self.variants.shape)}, but need (variants, *{pictures})"
            )

    def __len__(self) -> int:
        """Return the number of slice pairs."""
        return int(self.members.shape[1])

    def needed(self, name: str, score: str) -> torch.Tensor:
        """Return a field that a score needs.

        Raises
        ------
        NotReady
            It was not computed; the message names the score.
        """
        found = getattr(self, name)
        if found is None:
            raise NotReady(
                f"{score} needs the {name.replace('_', ' ')} of each slice pair, and there is none"
            )
        return found

    def mean(self) -> torch.Tensor:
        """Return the mean probability over the members, float32 in [0, 1], (n, rows, columns); NaN stays."""
        total = self.members[0].float().clamp(0.0, 1.0)
        for member in self.members[1:]:
            total.add_(member.float().clamp(0.0, 1.0))
        return total.div_(self.members.shape[0])
