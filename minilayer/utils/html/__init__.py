"""HTML for notebooks: no scripts, all texts escaped, readable in light and dark themes."""
