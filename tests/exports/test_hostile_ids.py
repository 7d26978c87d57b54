"""An image_id that is not a path in a folder cannot leave it, in any format."""

from dataclasses import replace
from pathlib import Path

import lance
import polars as pl
import pytest

import likewise
from likewise.catalogue.dataset import Dataset
from likewise.catalogue.export_selection import selection
from likewise.exports import EXPORTS
from likewise.exports.base import Export
from likewise.storage.workspace import Workspace

pytestmark = pytest.mark.torch

HOSTILE = (
    "../pwned.png",
    "images/../../pwned.png",
    "../../../pwned.png",
    "images/../../../pwned.png",
    "..",
    "images/..",
    "/tmp/pwned.png",  # noqa: S108
    "images\\..\\..\\pwned.png",
    "C:\\pwned.png",
    ".git/hooks/post-checkout",
    "images/.GIT/config",
    "images/.g\u200cit/config",
    "images/nul\0.png",
    "images//pwned.png",
    "",
)


def options(kind: str) -> dict[str, object]:
    """Whatever options the format needs for whole images with vectors."""
    fields = EXPORTS.load(kind).model_fields
    boxes = "whole" in fields and fields["whole"].default == "refuse"
    return {
        **({"whole": "box"} if boxes else {}),
        **({"model": "tiny"} if "model" in fields else {}),
    }


@pytest.mark.parametrize("kind", EXPORTS.kinds())
def test_every_export_refuses_it_before_it_writes(workspace: Path, kind: str) -> None:
    path = workspace / "catalog" / "emoji.lance"
    good = lance.dataset(path).to_table()
    place = good.schema.get_field_index("image_id")
    for hostile in HOSTILE:
        ids = [hostile, *good["image_id"].to_pylist()[1:]]
        bad = good.set_column(place, good.schema.field("image_id"), [ids])
        lance.write_dataset(bad, path, mode="overwrite", data_storage_version="2.2")
        with pytest.raises(likewise.DataError, match="values of image_id are not safe paths"):
            likewise.export("emoji", kind, workspace / "out", options=options(kind))
        assert not (workspace / "out").exists()


@pytest.mark.parametrize("kind", EXPORTS.kinds())
def test_no_writer_leaves_its_folder(workspace: Path, tmp_path: Path, kind: str) -> None:
    good = selection(Dataset(Workspace(workspace), "emoji"))
    part: Export = EXPORTS.build({"kind": kind, **options(kind)}, "export")
    before = {path for path in tmp_path.rglob("*") if "out" not in path.parts}
    for number, hostile in enumerate(HOSTILE):
        ids = pl.Series("image_id", [hostile, *good.items["image_id"][1:]])
        folder = tmp_path / "out" / str(number) / "a" / "b"
        folder.mkdir(parents=True)
        try:
            part.write(replace(good, items=good.items.with_columns(ids)), folder)
        except likewise.LikewiseError as error:
            assert "refused" in str(error) or "cannot be" in str(error)  # noqa: PT017
        assert {path for path in tmp_path.rglob("*") if "out" not in path.parts} == before
        own = tmp_path / "out" / str(number)
        assert {path for path in own.rglob("*") if not path.is_relative_to(folder)} == {
            own / "a"
        }
        assert not [path for path in folder.rglob("*") if path.name.lower() == ".git"]
