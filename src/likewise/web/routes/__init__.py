"""The routes of the page, one module per subject."""
