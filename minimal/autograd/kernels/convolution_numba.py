"""Twin of ``convolution_numpy``, compiled: equal to rounding.

The plain convolution and its gradients are in ``convolution_tiles_numba``; with relu and pooling behind it, in
``convolution_pool_numba``.  Both read and write where the tables of ``convolution_plan`` say, and both count on
``vectors_numba`` for sums that stay in registers.
"""

from minimal.autograd.kernels.convolution_pool_numba import conv_relu_pool, conv_relu_pool_backward
from minimal.autograd.kernels.convolution_tiles_numba import (
    conv2d,
    conv2d_bias_grad,
    conv2d_input_grad,
    conv2d_weight_grad,
)

__all__ = [
    "conv2d",
    "conv2d_bias_grad",
    "conv2d_input_grad",
    "conv2d_weight_grad",
    "conv_relu_pool",
    "conv_relu_pool_backward",
]
