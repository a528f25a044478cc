"""Ensembles: many models that vote.

Read ``forest`` (the estimators) and ``bootstrap`` (which samples each tree sees).
"""

from minimal.ensemble.forest import RandomForestClassifier, RandomForestRegressor

__all__ = ["RandomForestClassifier", "RandomForestRegressor"]
