"""Lessons on how the algorithms of ``minimal`` work, from the idea to the library's same numbers.

python -m lessons list      what there is
python -m lessons check     run every lesson as a plain script
python -m lessons build     execute every lesson and build the site into lessons/_build/html
"""

LESSONS = {
    "arrays_and_standardization": "What an array is in memory, and a variance that keeps its digits",
    "finding_minima": "Gradient descent, line search, Newton and BFGS, drawn on the map they walk on",
    "logistic_regression": "From a likelihood to a fused kernel, and why two right programs differ",
    "trees_and_forests": "The best question in one pass, ties and seeds, pruning, and why a forest is better than its trees",
    "k_means": "Two steps that cannot make it worse, where to begin, and distances that need not be computed",
    "automatic_differentiation": "From one multiplication to a graph, the order of the way back, and second derivatives",
    "convolution_and_digits": "Convolution as loops, as a matrix product and in tiles, and a network that reads digits",
}
"""The lessons in the order in which they build on each other: the script's name, and what it is about."""
