"""Image and text towers of other libraries: open_clip and transformers."""
