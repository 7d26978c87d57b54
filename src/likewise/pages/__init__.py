"""HTML pages, SVG figures and picture sheets, with their templates."""
