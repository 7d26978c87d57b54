"""Random hostile inputs for the whole command line: ``python tests/fuzz --help``."""
