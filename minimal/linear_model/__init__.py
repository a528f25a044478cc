"""Linear models: a weighted sum of the features, and what to make of it.

Read in this order: ``logistic_loss_numpy`` (what is minimized), ``logistic_objective`` (how the solvers see it), ``newton``
and ``minimal.optimize.lbfgs`` (how the minimum is found), ``sag_numpy`` (the same sample by sample), ``logistic`` (the
estimator).
"""

from minimal.linear_model.logistic import LogisticRegression

__all__ = ["LogisticRegression"]
