"""Kills, damage and concurrent checkouts: ``python tests/resilience --help``."""
