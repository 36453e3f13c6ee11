"""Sphinx: Markdown through MyST, the commands through sphinx-click."""

from ingestor import __version__

project = "Hist Data Ingestor"
author = "The Hist Data Ingestor authors"
copyright = f"2026, {author}"
release = __version__
version = ".".join(release.split(".")[:2])

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
exclude_patterns = ["Thumbs.db", ".DS_Store"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"

html_theme = "furo"
html_title = f"Hist Data Ingestor {release}"
