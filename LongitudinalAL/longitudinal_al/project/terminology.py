"""The standard term of every change, for the scene and for exported files."""

from __future__ import annotations

TERMINOLOGY = (
    "Segmentation category and type - DICOM master list"
    "~SCT^49755003^Morphologically Altered Structure~SCT^52988006^Lesion~^^"
    "~Anatomic codes - DICOM master list~^^~^^"
)
"""Category and type in SNOMED CT: a change is a lesion that came, grew, shrank or went.

DICOM PS3.16 lists the type in context group 7159, the category in 7150; the category's name is the one of
Slicer's terminologies. Written as Slicer's `vtkSlicerTerminologiesModuleLogic` reads it
(DeserializeTerminologyEntry): context, category, type, modifier, and the same for a region, left open."""
