"""A digest of the roles by which a model embeds contents."""

import hashlib

import polars as pl


def roles_digest(wanted: pl.DataFrame) -> str:
    """What tells one giving of roles to contents from another."""
    pairs = wanted.select("content", "role").unique().sort("content", "role")
    text = "\n".join(f"{content} {role}" for content, role in pairs.rows())
    return hashlib.sha256(text.encode()).hexdigest()
