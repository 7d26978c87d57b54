"""Digest of the roles with which a model embeds contents."""

import hashlib

import polars as pl


def roles_digest(items: pl.DataFrame) -> str:
    """Return a digest of the distinct pairs of content and role in ``items``."""
    pairs = items.select("content", "role").unique().sort("content", "role")
    text = "\n".join(f"{content} {role}" for content, role in pairs.rows())
    return hashlib.sha256(text.encode()).hexdigest()
