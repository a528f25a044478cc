"""Change the learning rate while training: by a plan, or when the loss stops falling.

A scheduler sets ``group["lr"]`` in the groups of its optimizer, first when it is made and then at each ``scheduler.step()``,
which comes after ``optimizer.step()``.  The rates are PyTorch's, to the last bit.
"""

from minimal.optim.lr_scheduler.base import LRScheduler
from minimal.optim.lr_scheduler.decay import CosineAnnealingLR, ExponentialLR, LambdaLR, LinearLR, MultiStepLR, StepLR
from minimal.optim.lr_scheduler.one_cycle import OneCycleLR
from minimal.optim.lr_scheduler.plateau import ReduceLROnPlateau
from minimal.optim.lr_scheduler.sequence import SequentialLR

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
