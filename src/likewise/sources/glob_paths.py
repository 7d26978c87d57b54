"""Paths with ``*`` and ``?`` as regular expressions."""

import re


def glob_pattern(name: str) -> str:
    r"""Return the regular expression for a path with ``*``, ``**`` and ``?``.

    Example:
        >>> glob_pattern("a/*.csv")
        'a/[^/]*\\.csv'
    """
    pattern = re.escape(name.strip("/")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*")
    return pattern.replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
