"""Settings of the documentation site, built by `nox -s docs`."""

project = "treeview and modeldata"
author = "The treeview and modeldata authors"
project_copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 2

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
# In docstrings a name in single backticks is code.
default_role = "code"

html_theme = "furo"
html_title = "treeview and modeldata"
