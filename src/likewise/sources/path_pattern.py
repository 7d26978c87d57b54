"""Columns from the path of a file by a regular expression, in linear time."""

import re
from collections.abc import Sequence

import polars as pl
from polars.exceptions import PolarsError

from likewise.errors import ConfigError
from likewise.formats.counted_nouns import counted

MAX_LENGTH = 1000
"""Maximum number of characters of a pattern, with every ``{n}`` written out."""

_MAX_PATH = 4096
_ELEMENT = re.compile(
    r"\\[pP]\{[^}]*\}|\\x\{[^}]*\}|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]"
    r"|\(\?P?<\w*>|\(\?[^:)]*:|\(|\)|\{[0-9]*,?[0-9]*\}|.",
    re.DOTALL,
)


def pattern_size(pattern: str) -> int:
    r"""Return the number of characters and classes of ``pattern``, with repetitions.

    Example:
        >>> pattern_size(r"\d{4}-\d\d"), pattern_size("(ab{3}){2,5}")
        (7, 20)
    """
    sizes, last = [0], 0
    for element in _ELEMENT.findall(pattern):
        if element.startswith("("):
            sizes.append(0)
            last = 0
        elif element == ")" and len(sizes) > 1:
            last = sizes.pop()
            sizes[-1] += last
        elif element.startswith("{") and len(element) > 2:
            counts = [min(int(n), MAX_LENGTH + 1) for n in re.findall(r"[0-9]+", element)]
            sizes[-1] += last * (max([*counts, 1]) - 1)
            last *= max([*counts, 1])
        elif element not in {"*", "+", "?", "|"}:
            last = 1
            sizes[-1] += 1
    return sum(sizes)


def check_pattern(pattern: str) -> None:
    """Check that ``pattern`` is a regular expression of moderate size.

    Patterns come with foreign cards. Polars' engine takes time in proportion to the product of
    the sizes of pattern and path, whatever the pattern; both are bounded.

    Raises:
        ConfigError: the pattern is not valid, or too large.
    """
    where = f"source: pattern: {pattern[:60]!r}"
    size = max(len(pattern), pattern_size(pattern[: MAX_LENGTH + 1]))
    if size > MAX_LENGTH:
        raise ConfigError(
            f"{where}: {counted(size, 'character')}, with repetitions; at most {MAX_LENGTH:,} "
            "are read"
        )
    try:
        pl.Series([""]).str.contains(pattern, strict=True)
        pl.select(pl.lit("").str.extract_groups(_whole(pattern)))
    except PolarsError as error:
        raise ConfigError(f"{where}: {_reason(error)}") from error


def _whole(pattern: str) -> str:
    """Return ``pattern`` for the whole path, or for its end after a '/'."""
    return rf"(?:\A|/)(?:{pattern})\z"


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if line.startswith("error:")), "")
    message = last.removeprefix("error:").strip() or " ".join(lines)[:200]
    return f"not a regular expression: {message}"


def extract_columns(
    paths: pl.Series, patterns: Sequence[str]
) -> tuple[pl.DataFrame, pl.Series]:
    r"""Return the named groups of the first pattern that matches each path.

    A pattern must match a whole path, or its end after a '/'.

    Args:
        paths: paths of files.
        patterns: checked patterns.

    Returns:
        ``path`` and one column per named group, for the paths that match, in their order; a
        group without text is null. And the paths that match no pattern.

    Example:
        >>> pattern = r"(?P<label>[^/]+)/c(?P<camera>\d)_.*"
        >>> frame, rest = extract_columns(pl.Series(["a/7/c2_x.jpg", "b.jpg"]), [pattern])
        >>> frame.to_dicts(), rest.to_list()
        ([{'path': 'a/7/c2_x.jpg', 'label': '7', 'camera': '2'}], ['b.jpg'])
    """
    frame = pl.DataFrame({"path": paths}).with_row_index(":row")
    parts = []
    rest = frame
    for pattern in patterns:
        whole = _whole(pattern)
        is_match = rest["path"].str.contains(whole) & (
            rest["path"].str.len_bytes() <= _MAX_PATH
        )
        hits, rest = rest.filter(is_match), rest.filter(~is_match)
        groups = hits.select(groups=pl.col("path").str.extract_groups(whole)).unnest("groups")
        names = [name for name in groups.columns if not name.isdecimal()]
        filled = groups.select(pl.col(names).replace("", None)) if names else pl.DataFrame()
        parts.append(pl.concat([hits, filled], how="horizontal") if names else hits)
    matched = pl.concat(parts, how="diagonal").sort(":row").drop(":row")
    return matched, rest["path"]


def named_groups(pattern: str) -> list[str]:
    r"""Return the names of the groups of a checked pattern.

    Example:
        >>> named_groups(r"(?P<label>.+)_(\d+)")
        ['label']
    """
    groups = pl.select(g=pl.lit("").str.extract_groups(pattern)).unnest("g")
    return [name for name in groups.columns if not name.isdecimal()]
