"""The page of a catalogue: a local server over the public API, and its static files."""
