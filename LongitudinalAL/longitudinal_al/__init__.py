"""The engine of LongitudinalAL: active learning on pairs of scans, without Slicer."""

__version__ = "0.1.0"
