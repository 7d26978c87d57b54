"""Match references that are longer than the tree: absolute paths, URLs, paths of exports."""

from urllib.parse import unquote

import polars as pl

from likewise.sources.split_names import split_of_folders

_MAX_COMPONENTS = 32
_COLUMNS = dict.fromkeys(("reference", "path"), pl.String)
_NOTE_COLUMNS = dict.fromkeys(("reference", "check", "detail"), pl.String)


def folded(names: pl.Series) -> pl.Series:
    """Return paths in one spelling: without escapes of URLs, in NFC, in lower case.

    The path in a query, as in Label Studio's ``/data/local-files/?d=images/3.jpg``, becomes the
    end of the path; other queries are dropped.
    """
    plain = names.str.replace(r"/?\?d=", "/").str.replace(r"(\.[A-Za-z0-9]{2,4})\?.*\z", "$1")
    escaped = plain.str.contains("%", literal=True).fill_null(value=False)
    if escaped.any():
        texts = [None if name is None else unquote(name) for name in plain]
        plain = pl.Series(names.name, texts, dtype=pl.String)
    plain = plain.str.replace_all("\\", "/", literal=True).str.replace_all("/+", "/")
    return plain.str.normalize("NFC").str.to_lowercase()


def match_longer(
    wanted: pl.DataFrame, known: pl.DataFrame, taken: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Match references by their end.

    Args:
        wanted: ``reference`` and ``key``, its normalised form.
        known: ``path`` and ``key`` of the images.
        taken: paths that other references name completely.

    Returns:
        ``reference``, ``path`` (several rows if it is ambiguous); and notes (``reference``,
        ``check``, ``detail``) about those with only the file name in common.
    """
    rest = wanted.with_columns(key=folded(wanted["key"]))
    rest = rest.filter(pl.col("key").str.contains("[^/]\\z"))
    images = known.with_columns(key=folded(known["key"]))
    images = images.with_columns(parts=pl.col("key").str.count_matches("/") + 1)
    base = pl.col("key").str.extract(r"([^/]*)\z")
    rest = rest.join(
        images.select(base=base).unique(), left_on=base, right_on="base", how="semi"
    )
    if rest.is_empty():
        return pl.DataFrame(schema=_COLUMNS), pl.DataFrame(schema=_NOTE_COLUMNS)
    longest = min(int(images["parts"].max() or 1), _MAX_COMPONENTS)  # type: ignore[arg-type]
    whole, partly = [pl.DataFrame(schema=_COLUMNS)], [pl.DataFrame(schema=_COLUMNS)]
    for complete, hits in ((True, whole), (False, partly)):
        for parts in range(longest, 1, -1):
            of_depth = images.filter(parts=parts) if complete else images
            hits.append(_ends(rest, of_depth, parts))
            rest = rest.join(hits[-1], on="reference", how="anti", maintain_order="left")
    by_name, notes = _by_file_name(
        rest, images, pl.concat([taken, *(h["path"] for h in whole)])
    )
    return pl.concat([*whole, *partly, by_name]), notes


def _ends(wanted: pl.DataFrame, images: pl.DataFrame, parts: int) -> pl.DataFrame:
    """Return each reference with all images that have its last ``parts`` components."""
    end = pl.col("key").str.extract(rf"(?s)(?:\A|/)((?:[^/]*/){{{parts - 1}}}[^/]*)\z")
    keyed = wanted.with_columns(key=end).drop_nulls("key")
    ends = images.with_columns(key=end).drop_nulls("key")
    return keyed.join(ends, on="key", maintain_order="left").select("reference", "path")


def _by_file_name(
    wanted: pl.DataFrame, images: pl.DataFrame, taken: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return references whose file name belongs to one image that no other reference names."""
    hits = _ends(wanted, images, 1).join(
        images.select("path", "parts"), on="path", maintain_order="left"
    )
    wanted_split, split = split_of_folders("reference"), split_of_folders("path")
    same_split = (wanted_split == split).fill_null(value=True)
    several = hits.filter(pl.col("reference").is_duplicated())
    single = hits.filter(
        ~pl.col("reference").is_duplicated()
        & ~pl.col("path").is_duplicated()
        & ~pl.col("path").is_in(taken.implode())
        & same_split
    )
    doubtful = single.filter(pl.col("parts") > 1)
    detail = pl.format("only its file name is that of an image, {}; it is read as that", "path")
    notes = doubtful.select("reference", check=pl.lit("by-name"), detail=detail)
    return pl.concat([single, several]).select("reference", "path"), notes
