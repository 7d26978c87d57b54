"""Queries, filters, indexes and searchers over embedding columns."""
