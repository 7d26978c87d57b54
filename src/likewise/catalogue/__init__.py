"""Data sets of a catalogue, their snapshots, corrections, flags, take-downs and results."""
