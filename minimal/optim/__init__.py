"""Take steps downhill: PyTorch's optimizers under their names, and schedules for their learning rate.

::

    optimizer = minimal.optim.Adam(model.parameters(), lr=1e-3)
    for x, y in loader:
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
"""

from minimal.optim import lr_scheduler
from minimal.optim.adagrad import Adagrad
from minimal.optim.adam import Adam, AdamW
from minimal.optim.optimizer import Optimizer
from minimal.optim.rmsprop import RMSprop
from minimal.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
