"""How Sphinx turns the lessons, the docstrings and two JSON files into a site that needs no network."""

import re
import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import minimal
from lessons import LESSONS

project = "minimal"
author = "The minimal developers"
copyright = "The minimal developers, BSD-3-Clause"
release = version = minimal.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "numpydoc",
]
include_patterns = ["index.md", "reference/**", *(f"{name}.py" for name in LESSONS)]

# A lesson is a percent-format script; jupytext reads it, and every cell runs when the site is built.
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "force"
nb_execution_show_tb = True  # and a failing cell is a warning, which fails the build
nb_execution_timeout = 120
nb_output_stderr = "error"  # a warning in a lesson fails the build
nb_merge_streams = True
nb_code_prompt_show = "How this picture is drawn"
nb_code_prompt_hide = "How this picture is drawn"
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings state types, with shapes
numpydoc_show_class_members = False

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = "minimal"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f6fb8", "color-brand-content": "#1f6fb8"},
    "dark_css_variables": {"color-brand-primary": "#6db3f2", "color-brand-content": "#6db3f2"},
}


FUNCTION_NAME = re.compile(r"(<mi>(?:log|exp)</mi>)(?=<m(?:i|sub|frac))")


def mathml(latex: str, display: str) -> str:
    """LaTeX as MathML, which browsers draw themselves: no script, no download, and it works offline."""
    math = convert(latex, display=display)
    return FUNCTION_NAME.sub(r'\1<mspace width="0.17em"></mspace>', math)  # "log p", not "logp"


def visit_inline(translator, node) -> None:
    """Write a formula inside a line."""
    translator.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_block(translator, node) -> None:
    """Write a formula that stands on its own."""
    translator.body.append(f'<div class="formula">{mathml(node.astext(), "block")}</div>')
    raise nodes.SkipNode


NAME_WITH_UNDERSCORE = re.compile(r"(?<![`\w.])([A-Za-z][\w.]*_)(?=$|[\s'\")\]}>/:.,;!?-])")
MARKED = re.compile(r"(`+[^`]+`+|\*\*?[^\s*](?:[^*]*[^\s*])?\*\*?)")  # code and emphasis
SIGN = re.compile(r"(?<!\\)[*|]")  # a star or a bar that marks nothing
REMARK = re.compile(r"(Source|Shapes|Twin|Cost)\b.*: ")
INDENT = re.compile(r" *")
SECTION_ITEM = re.compile(r"(\w[\w, ]* : )?(.*)")  # "name : type", whose name numpydoc sets itself
ITEM = re.compile(r" +\w[\w, ]* : \S")  # "name : type" inside a description


def prose(line: str) -> str:
    """A line in which names with an underscore at their end are code, and signs of arithmetic are no markup."""
    parts = MARKED.split(NAME_WITH_UNDERSCORE.sub(r"``\1``", line))  # by turns text and marked
    return "".join(part if i % 2 else SIGN.sub(r"\\\g<0>", part) for i, part in enumerate(parts))


def remarks_as_notes(lines: list[str]) -> list[str]:
    """A remark below the sections ("Source: ...") as a section of notes, for numpydoc would take it for one more item."""
    if "Notes" in lines:
        return lines
    heads = [i for i, line in enumerate(lines) if line.strip("-") == "" and len(line) > 2]
    for i in range(heads[0] if heads else len(lines), len(lines)):
        if REMARK.match(lines[i]) and not lines[i - 1].strip():
            return [*lines[:i], "Notes", "-----", *lines[i:]]
    return lines


def typeset(app, what, name, thing, options, lines) -> None:
    """Docstrings are written for the terminal.  Here ``mean_`` becomes code, and an indented equation a block of code.

    Otherwise reStructuredText would take the first for a link, and run the lines of the second together.  It also wants
    an empty line around an item that has no description.
    """
    source, text, level, in_block = (
        remarks_as_notes([*lines]),
        "::",
        0,
        False,
    )  # text: the last line of prose
    lines.clear()
    for before, line in zip(["", *source], source):
        if line.strip():
            indent = len(INDENT.match(line)[0])
            starts = not before.strip() and indent > level and not in_block
            if starts and not text.endswith("::"):
                lines += [" " * level + "::", ""]
            in_block = starts or (in_block and indent > level)
            if not in_block:
                level, text = indent, line
            if before.strip() and ITEM.match(line):
                lines.append("")
        term, rest = SECTION_ITEM.match(line).groups(default="")
        lines.append(line if in_block else term + prose(rest))


def setup(app) -> None:
    """Let MathML draw the formulas, and prepare the docstrings before numpydoc reads them."""
    app.connect("autodoc-process-docstring", typeset, priority=400)
    app.add_html_math_renderer(
        "mathml", inline_renderers=(visit_inline, None), block_renderers=(visit_block, None)
    )


html_math_renderer = "mathml"
