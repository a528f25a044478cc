"""Random forests: trees that are grown on different draws of the data, and their mean.

Read in this order: ``bootstrap`` (the draws), ``base_forest`` (what all forests do), ``voting`` (how predictions are added
up), ``forest`` (the estimators).
"""

from minimal.ensemble.forest import RandomForestClassifier, RandomForestRegressor

__all__ = ["RandomForestClassifier", "RandomForestRegressor"]
