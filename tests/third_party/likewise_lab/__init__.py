"""A source and a protocol of a laboratory, in its own package."""
