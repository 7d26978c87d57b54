"""The lists of QMUL's sketch sets: which photos and sketches are for training and testing."""

import polars as pl

from likewise.sources.base import findings
from likewise.sources.notes import Notes, as_text

SPLITS = ("train", "val", "test")

_LIST = r"(\A|/)(photo|sketch)_(train|val|test)\.txt\z"
_ENTRY = {"list": pl.String, "side": pl.String, "listed": pl.String, "key": pl.String}


def listed_splits(
    notes: Notes, photos: pl.DataFrame, sketches: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, list[pl.DataFrame]]:
    """Photos and sketches with the split of the list that names them, and findings.

    A line of ``sketch_test.txt`` is a name with or without folders and suffix. Where there are
    no lists of sketches, a sketch has the split of its photo. An image in no list has none; one
    in several has that of the last of ``SPLITS``, so that nothing tested is trained on.

    Args:
        notes: where the lists are; without any, no image has a split.
        photos: path, label, key (the name without suffix), split.
        sketches: the same.
    """
    entries, faults = _entries(notes)
    split_photos, about_photos = _split(photos, entries.filter(side="photo"))
    split_sketches, about_sketches = _split(sketches, entries.filter(side="sketch"))
    if "sketch" not in entries["side"]:
        of_photo = split_photos.select("label", "split")
        split_sketches = sketches.drop("split").join(
            of_photo, on="label", how="left", maintain_order="left"
        )
    return split_photos, split_sketches, [faults, *about_photos, *about_sketches]


def _entries(notes: Notes) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every line of every list, and findings about lines that name nothing."""
    frames = [pl.DataFrame(schema=_ENTRY)]
    names = notes.names(_LIST) if notes.is_many else pl.Series(dtype=pl.String)
    for path, data in notes.read(names) if len(names) else ():
        side, split = path.lower().rpartition("/")[2].removesuffix(".txt").split("_")
        lines = pl.Series("key", as_text(f"{notes.place}/{path}", data).splitlines())
        key = pl.col("key").str.strip_chars().str.replace_all("\\", "/", literal=True)
        key = key.str.extract(r"([^/]*)\z").str.replace(r"(?i)\.(png|jpe?g|svg)\z", "")
        frames.append(
            pl.DataFrame([lines.cast(pl.String)])
            .select(list=pl.lit(path), side=pl.lit(side), listed=pl.lit(split), key=key)
            .filter(pl.col("key") != "")
        )
    entries = pl.concat(frames)
    again = entries.filter(pl.struct("list", "key").is_duplicated()).unique(maintain_order=True)
    return entries.unique(maintain_order=True), findings(_named(again), "listed-twice", _AGAIN)


_AGAIN = "it stands several times in the list, and counts once"


def _split(
    images: pl.DataFrame, entries: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    if entries.is_empty():
        return images, []
    rank = pl.col("listed").replace_strict(SPLITS, range(len(SPLITS)), return_dtype=pl.Int8)
    last = entries.sort(rank, descending=True).unique("key", keep="first")
    split = images.drop("split").join(
        last.select("key", split="listed"), on="key", how="left", maintain_order="left"
    )
    dangling = entries.join(images, on="key", how="anti", maintain_order="left")
    both = entries.join(last.select("key", kept="listed"), on="key", maintain_order="left")
    return split, [
        findings(_named(dangling), "dangling", "listed, but there is no image of that name"),
        findings(
            _named(both.filter(pl.col("listed") != pl.col("kept"))),
            "two-splits",
            pl.format("it is also listed in, and taken as, {}", "kept"),
        ),
        findings(split.filter(pl.col("split").is_null()), "unlisted", "it is in no list"),
    ]


def _named(entries: pl.DataFrame) -> pl.DataFrame:
    return entries.with_columns(path=pl.concat_str("list", "key", separator=": "))
