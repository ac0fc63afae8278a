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
    """

    projectFolder: str = ""
