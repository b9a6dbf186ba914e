"""How Sphinx builds the pages; its source folder is the repository, so that links are the same in both."""

import sys
from pathlib import Path

from sphinx.application import Sphinx

import osscl

sys.path.insert(0, str(Path(__file__).parent))

from console_reference import console_reference

project = "osscl"
author = "The osscl authors"
version = release = osscl.__version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "benchmarks/*.md"]
exclude_patterns = ["build", ".*"]  # not walked through

myst_heading_anchors = 4
# gigabytes that modules of the reference import, and whose names stand in none of their public signatures
autodoc_mock_imports = ["onnxruntime", "onnxscript", "safetensors", "torch"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say types, with shapes and units
default_role = "code"
numpydoc_show_class_members = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"osscl {release}"
html_copy_source = False
highlight_language = "none"  # blocks without a language are output, not Python

CONTENTS = """
```{toctree}
:hidden:
:caption: Use
docs/install
docs/offline
docs/scoring
docs/long
docs/object_stores
docs/journal
docs/commission
docs/stream
docs/events
docs/recordings
docs/decide
docs/domains
docs/monitor
docs/watch
docs/explain
docs/sensitivity
docs/gpu
docs/serve
docs/triton
docs/distributed
docs/layouts
docs/training
docs/evaluation
docs/compare
docs/report
docs/data
docs/rerun
docs/synth
docs/export
docs/speed
docs/scale
docs/troubleshooting
```

```{toctree}
:hidden:
:caption: Look up
docs/commands
docs/api
docs/settings
docs/format
docs/languages
```

```{toctree}
:hidden:
:caption: Project
benchmarks/RESULTS
ARCHITECTURE
CONTRIBUTING
CHANGELOG
```
"""
INDEX = '<meta http-equiv="refresh" content="0; url=README.html"><a href="README.html">osscl</a>\n'


def complete(_: Sphinx, page: str, source: list[str]) -> None:
    """Add what is made here and not kept in the repository."""
    if page == "README":
        source[0] += CONTENTS
    if page == "docs/commands":
        source[0] += "\n" + console_reference()


def write_index(app: Sphinx, error: Exception | None) -> None:
    """Lead from the folder to its first page."""
    if error is None:
        Path(app.outdir, "index.html").write_text(INDEX, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", complete)
    app.connect("build-finished", write_index)
