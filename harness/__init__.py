"""Edgematrix: which inference runtime on which constrained device, with evidence."""

__version__ = "0.1.0"
