"""A source, a model and a protocol of a laboratory, in its own package."""
