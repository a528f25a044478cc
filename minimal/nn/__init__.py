"""Networks from layers, as in ``torch.nn``: modules, containers, layers, losses, first values and care for gradients.

Read in this order: ``tree`` (what a module is made of), ``module`` (calling, modes, state), ``linear`` and ``convolution``
(layers), ``containers`` and ``fusion`` (layers in a row), ``init`` (first values).
"""

from minimal.nn import functional, init, utils
from minimal.nn.activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softmax2d,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)
from minimal.nn.cnn_classifier import CNNClassifier
from minimal.nn.containers import ModuleDict, ModuleList, ParameterList, Sequential
from minimal.nn.convolution import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from minimal.nn.dropout import Dropout, Dropout1d, Dropout2d
from minimal.nn.embedding import Embedding
from minimal.nn.fusion import fusion, set_fusion
from minimal.nn.linear import Bilinear, Identity, Linear
from minimal.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from minimal.nn.module import Module
from minimal.nn.normalization import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm
from minimal.nn.parameter import Parameter
from minimal.nn.pooling import AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from minimal.nn.shaping import Flatten, Unflatten
from minimal.nn.trainer import Trainer, accuracy

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Bilinear",
    "CNNClassifier",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "Mish",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "PReLU",
    "Parameter",
    "ParameterList",
    "ReLU",
    "ReLU6",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "Trainer",
    "Unflatten",
    "accuracy",
    "functional",
    "fusion",
    "init",
    "set_fusion",
    "utils",
]
