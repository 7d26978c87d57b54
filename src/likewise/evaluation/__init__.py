"""Protocols, metrics, rankings, significance tests and published results."""
