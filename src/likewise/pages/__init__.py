"""HTML pages, SVG figures and contact sheets, with their templates."""
