"""Images: what a file holds (probe), and its pixels (decode)."""
