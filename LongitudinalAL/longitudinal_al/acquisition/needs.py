"""What a strategy needs before it can choose, and where its numbers come from."""

from __future__ import annotations

from enum import Enum, Flag, auto


class Needs(Flag):
    """What must be there before a strategy can choose."""

    NOTHING = 0
    MODEL = auto()
    """A trained network, and so its predictions."""
    ENSEMBLE = auto()
    """At least two members: as many networks as the setting `members` says, or else passes with dropout."""
    DROPOUT = auto()
    """At least two passes of one network with dropout switched on."""
    FEATURES = auto()
    """Pooled bottleneck features of candidates and labelled slice pairs."""
    DIFFERENCE = auto()
    """The difference image; selectors get the difference score as `Candidates.difference`."""
    VARIANTS = auto()
    """Predictions under changes of the input: `Predictions.variants`."""
    GRADIENTS = auto()
    """Gradients of the loss on the pseudo-label with respect to the last layer, as `Candidates.features`."""
    ATTENTION = auto()
    """Where the network looks: `Predictions.attention`."""
    PREDICTED_LOSS = auto()
    """A network trained with a head that predicts its own loss: `Predictions.predicted_loss`."""
    FITTED_MISALIGNMENT = auto()
    """Misalignment regressed on the labelled slice pairs: `Predictions.expected_misalignment`."""
    CONTRAST = auto()
    """Contrastive encoders, trained without any label: their joined features as `Candidates.features`."""
    COST = auto()
    """Predicted seconds of annotation: `Candidates.seconds`."""
    LABELS = auto()
    """References of unlabelled slice pairs: a yardstick in simulations, never a strategy for users."""

    def in_words(self) -> str:
        """Return what is needed as a list in words; "nothing" if so.

        Examples
        --------
        >>> (Needs.MODEL | Needs.PREDICTED_LOSS).in_words()
        'model, predicted loss'
        """
        names = [
            flag.name.lower().replace("_", " ") for flag in Needs if flag.value and flag in self and flag.name
        ]
        return ", ".join(names) or "nothing"


class ScoreSource(Enum):
    """Where the score comes from when it is no function of predictions."""

    NONE = "none"
    """The selector looks at no score; the caller gives zeros."""
    DIFFERENCE = "difference"
    """The caller gives ``imaging.difference.difference_score`` of each slice pair."""
    CONTRAST = "contrast"
    """The caller gives the modality difference of each slice pair, by the contrastive encoders."""
    REFERENCE = "reference"
    """The caller gives the changed pixels in the reference of each slice pair: in simulations only."""
