"""Keep a model, or a whole checkpoint, in a file that cannot run code when it is opened.

::

    minimal.save(model.state_dict(), "model.safetensors")
    model.load_state_dict(minimal.load("model.safetensors"))

    minimal.save({"epoch": 3, "model": model.state_dict(), "optimizer": optimizer.state_dict()}, "checkpoint.npz")

Two formats, chosen by the ending of the name: ``.safetensors``, which PyTorch and many others read and write (through the
safetensors library), and NumPy's ``.npz``, which needs nothing.  Never pickle.
"""

from minimal.serialization.files import load, save

__all__ = ["load", "save"]
