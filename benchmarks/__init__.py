"""The race: speed beside the libraries', and in the same run the proof that the answers agree.

``python -m benchmarks`` runs every case and prints one table.  Read :mod:`benchmarks.frame` to write a case.
"""
