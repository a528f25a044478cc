"""Clustering: groups in data that nobody has labelled.

Read ``kmeans`` (the estimator), ``seeding`` (where to begin), ``rounds`` (how the centres move until they stand still) and
``lloyd_numpy`` (the two steps of a round); then ``lloyd_numba``, the same steps, fast.
"""

from minimal.cluster.kmeans import KMeans, k_means
from minimal.cluster.seeding import kmeans_plusplus

__all__ = ["KMeans", "k_means", "kmeans_plusplus"]
