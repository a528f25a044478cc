"""The operations: one class each, whose forward and backward stand together and read like the derivation.

Begin with ``elementwise``, go on with ``reductions``, ``shapes``, ``indexing`` and ``linear_algebra``.
"""
