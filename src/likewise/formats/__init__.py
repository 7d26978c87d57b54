"""Readers and writers of file formats: archives, arrays, documents, pickles, MATLAB files."""
