"""Lance tables, column digests, git and DVC versions, the journal, paths and downloads."""
