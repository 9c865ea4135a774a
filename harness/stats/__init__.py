"""The figures of cells, pure: from stored trials to estimates with intervals, differences and ranks.

The trial is the statistical unit. Latencies inside one container share its memory layout, its place in the run and the
host's mood, so pooling them would only pretend to many samples.
"""
