"""`python -m harness` is the same as `edgematrix`."""

from harness.cli import main

main()
