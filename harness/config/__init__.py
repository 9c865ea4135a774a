"""The matrix file: read once, checked whole, and frozen; nothing downstream reads YAML."""

from harness.config.load import load_matrix
from harness.config.matrix import Block, Exclusion, Limits, Matrix

__all__ = ["Block", "Exclusion", "Limits", "Matrix", "load_matrix"]
