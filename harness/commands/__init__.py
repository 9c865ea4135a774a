"""The commands, a file for each kind; `harness.cli` puts them together.

What a command works with is imported where it is used: help and mistakes answer at once.
"""
