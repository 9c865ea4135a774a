"""The article that the project grew from, replayed: published, reproduced and fair.

Its protocol, and the rungs of the ladder that lead away from it, live in `images/article/`; here they are scheduled
beside the trials of an ordinary matrix and kept. `harness/report/article.py` makes the page of them.
"""
