"""What runs below the graph: functions on arrays, in twins, one to read and one to run.

A kernel knows nothing of tensors or gradients' owners.  Arrays come in with shapes that were checked above, in any memory
order; arrays go out.  Numbers in images are called as PyTorch calls them, (samples, channels, height, width), while the
memory below keeps the channels of a pixel side by side, because that is how a convolution reads them.
"""
