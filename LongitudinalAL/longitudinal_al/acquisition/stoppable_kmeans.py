"""Mini-batch k-means that can be called off; imported where it is used, as scikit-learn takes seconds."""

from __future__ import annotations

from typing import Any

from sklearn.cluster import MiniBatchKMeans

from longitudinal_al.interruption import Interrupt


class StoppableKMeans(MiniBatchKMeans):
    """A clustering that can be called off: scikit-learn asks after each mini-batch whether to go on."""

    interrupt: Interrupt

    def _mini_batch_convergence(self, *state: Any) -> Any:
        self.interrupt()
        return super()._mini_batch_convergence(*state)
