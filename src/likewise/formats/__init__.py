"""Readers and writers of file formats: archives, arrays, YAML, pickles, MATLAB files."""
