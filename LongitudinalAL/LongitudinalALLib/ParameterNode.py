"""What is kept in the scene, so that a saved scene finds its project again."""

from __future__ import annotations

from slicer.parameterNodeWrapper import parameterNodeWrapper


@parameterNodeWrapper
class ParameterNode:
    """Parameters of the module, in the scene.

    Contract: Slicer `Base/Python/slicer/parameterNodeWrapper/wrapper.py`.

    Attributes
    ----------
    projectFolder : str
        Of the project that was open, empty for none.
    pair : str
        The pair that was shown.
    strategy : str
        By which slice pairs are chosen; empty: the worker's own.
    """

    projectFolder: str = ""
    pair: str = ""
    strategy: str = ""
