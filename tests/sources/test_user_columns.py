"""Columns of a user's table keep their names and values, whatever names programs use inside."""

import ast
import csv
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

import likewise
from likewise.errors import DataError
from likewise.retrieval.filters import matching_rows
from likewise.sources.column_kinds import COLUMN_NAMES
from likewise.sources.csv import CsvSource
from likewise.sources.extra_columns import RESERVED, field_name
from likewise.sources.parquet import ParquetSource

SOURCE = Path(likewise.__file__).parent
RECOGNISED = {name for names in COLUMN_NAMES.values() for name in names}
SPLITS = ("train", "train", "test")


def internal_names() -> set[str]:
    """Every name that a frame gets inside likewise: keywords and texts in calls of polars."""
    names: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                names |= {word.arg for word in node.keywords if word.arg}
                names |= {
                    value.value
                    for value in node.args
                    if isinstance(value, ast.Constant) and isinstance(value.value, str)
                }
    known = {name for name in names if field_name(name) == name}
    return {"matched", "put", *known} - RECOGNISED - RESERVED - {"licence"}


def table(folder: Path, columns: dict[str, list[str]]) -> Path:
    """Write three pictures and ``items.csv`` with these columns."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(3):
        Image.new("RGB", (24, 16), (80 * number, 9, 9)).save(folder / f"{number}.png")
    with (folder / "items.csv").open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return folder


def begun(root: Path, source: Path, options: str = "") -> Path:
    """A catalogue with the data set ``toys``, read from ``source``."""
    (root / "catalog").mkdir(parents=True)
    params = f"datasets:\n  toys: {{path: {source}, annotations: {source}}}\n"
    (root / "params.yaml").write_text(params, "utf-8")
    card = f"title: Toys\nsource: {{kind: csv{options}}}\n"
    (root / "catalog" / "toys.yaml").write_text(card, "utf-8")
    return root


def values(frame: pl.DataFrame) -> dict[str, list[str]]:
    return {name: frame[name].to_list() for name in frame.columns}


IMAGES = {"image": ["0.png", "1.png", "2.png"], "label": ["a", "b", "a"], "split": [*SPLITS]}


def test_internal_names_of_all_steps_are_names_of_users_too(tmp_path: Path) -> None:
    names = sorted(internal_names())
    assert {"reference", "taken", "row", "rank", "listed", "matched"} <= set(names)
    own = {name: [f"{name} {row}" for row in range(3)] for name in names}
    begun(tmp_path, table(tmp_path / "d", {**own, **IMAGES}))
    done = likewise.ingest("toys", workspace=tmp_path)
    assert set(done.findings) <= {"odd-column"}
    (tmp_path / "catalog" / "toys" / "corrections.csv").write_text(
        "item_id,column,value,was\n1.png,label,c,b\n2.png,matched,none,\n", "utf-8"
    )
    likewise.publish("toys", workspace=tmp_path)
    items = likewise.open("toys", workspace=tmp_path).items.sort("image_id")
    assert items["label"].to_list() == ["a", "c", "a"]
    assert items["split"].to_list() == list(SPLITS)
    own["matched"][2] = "none"
    assert values(items.select(names)) == own
    likewise.export("toys", "csv", tmp_path / "again", workspace=tmp_path)
    again = pl.read_csv(tmp_path / "again" / "items.csv", infer_schema=False)
    assert values(again.sort("image").select(names)) == own
    boxed = "select item_id from toys where \"row\" = 'row 1' and taken = 'taken 1'"
    assert likewise.query(boxed, workspace=tmp_path)["item_id"].to_list() == ["1.png"]


def test_boxes_keep_the_columns_of_users(tmp_path: Path) -> None:
    corners = {"x1": ["1"] * 3, "y1": ["1"] * 3, "x2": ["9"] * 3, "y2": ["9"] * 3}
    names = ("label_box", "box_label", "number", "listed", "category", "objects", "path", "id")
    own = {name: [f"{name} {row}" for row in range(3)] for name in names}
    source = table(tmp_path / "d", {**own, **corners, **IMAGES})
    begun(tmp_path, source)
    likewise.ingest("toys", workspace=tmp_path)
    likewise.publish("toys", workspace=tmp_path)
    items = likewise.open("toys", workspace=tmp_path).items.sort("item_id")
    assert values(items.select(names)) == own
    assert items["label"].to_list() == ["a", "b", "a"]
    for kind in ("csv", "parquet", "webdataset"):
        likewise.export("toys", kind, tmp_path / kind, workspace=tmp_path)
        again = begun(tmp_path / f"from_{kind}", tmp_path / kind)
        card = again / "catalog" / "toys.yaml"
        card.write_text(card.read_text("utf-8").replace("kind: csv", f"kind: {kind}"), "utf-8")
        likewise.ingest("toys", workspace=again)
        read = likewise.query("select * from toys_items order by listed", workspace=again)
        assert read["label"].to_list() == ["a", "b", "a"], kind
        again_read = {name: read[name].to_list() for name in read.frame.columns}
        for name in names:
            assert own[name] in (again_read.get(name), again_read.get(f"given_{name}")), (
                kind,
                name,
            )


@pytest.mark.no_cover  # the first test runs the same lines
@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("label_old", "label_old"),
        ("Text Old", "text_old"),
        ("split old", "split_old"),
        ("Größe", "größe"),
        ("Gro\u0308ße", "gro\u0308ße".replace("o\u0308", "ö")),
        ("название", "название"),
        ("颜色", "颜色"),
        ("रंग की", "रंग_की"),
        ("a  b--c", "a_b_c"),
        ("_x_", "x"),
        ("2nd", "given_2nd"),
        ("license", "licence"),
        ("???", "column"),
    ],
)
def test_a_name_stays_the_name(tmp_path: Path, written: str, kept: str) -> None:
    source = table(tmp_path / "d", {written: ["x", "y", "z"], **IMAGES})
    begun(tmp_path, source)
    likewise.ingest("toys", workspace=tmp_path)
    likewise.publish("toys", workspace=tmp_path)
    items = likewise.open("toys", workspace=tmp_path).items.sort("image_id")
    assert items[kept].to_list() == ["x", "y", "z"]
    assert items["label"].to_list() == ["a", "b", "a"]
    condition = f"select item_id from toys where \"{kept}\" = 'y'"  # noqa: S608 (no input)
    assert likewise.query(condition, workspace=tmp_path)["item_id"].to_list() == ["1.png"]


def test_two_columns_never_become_one(tmp_path: Path) -> None:
    own = {"A b": ["1"] * 3, "a-b": ["2"] * 3, "a_b_2": ["3"] * 3, "Größe": ["4"] * 3}
    begun(tmp_path, table(tmp_path / "d", {**own, "größe": ["5"] * 3, **IMAGES}))
    likewise.ingest("toys", workspace=tmp_path)
    items = likewise.query("select * from toys_items", workspace=tmp_path)
    extra = [name for name in items.frame.columns if items[name].dtype == pl.Int64]
    assert sorted(items[name][0] for name in extra) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", sorted(RESERVED - RECOGNISED))
def test_only_a_column_of_every_catalogue_is_refused(tmp_path: Path, name: str) -> None:
    source = table(tmp_path / "d", {name.upper(): ["x", "y", "z"], **IMAGES})
    with pytest.raises(
        DataError, match=rf"column '{name.upper()}'.*--option 'rename="
    ) as caught:
        likewise.validate("csv", source)
    assert "NEW_NAME" in str(caught.value)
    begun(tmp_path, source, f", rename: {{{name.upper()}: my {name}}}")
    likewise.ingest("toys", workspace=tmp_path)
    items = likewise.query("select * from toys_items order by item_id", workspace=tmp_path)
    assert items[f"my_{name}"].to_list() == ["x", "y", "z"]


def test_the_option_of_a_second_label_is_named(tmp_path: Path) -> None:
    source = table(tmp_path / "d", {"species": ["x", "y", "z"], **IMAGES})
    with pytest.raises(
        DataError, match="--option 'label=label' to use it as that, or --option"
    ):
        likewise.validate("csv", source, options={"label": "species"})
    options = {"label": "species", "rename": {"label": "kind"}}
    assert likewise.validate("csv", source, options=options).total == 0
    with pytest.raises(
        DataError, match="rename: no extra column 'lable'; did you mean 'label'"
    ):
        likewise.validate("csv", source, options={**options, "rename": {"lable": "kind"}})


def test_one_column_may_serve_as_two(tmp_path: Path) -> None:
    source = table(tmp_path / "d", IMAGES)
    reading = CsvSource(label="label", text="label").read(CsvSource().open(source), source)
    assert reading.items["label"].to_list() == reading.items["text"].to_list()


def test_names_that_are_patterns_of_polars_are_names(tmp_path: Path) -> None:
    source = table(tmp_path / "d", {**IMAGES, "*": ["1", "2", "3"], "^l.*$": ["x", "y", "z"]})
    reading = CsvSource().read(CsvSource().open(source), source)
    assert reading.items["column"].to_list() == [1, 2, 3]
    assert reading.items["l"].to_list() == ["x", "y", "z"]


def test_columns_of_other_programs_get_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "d" / "data").mkdir(parents=True)
    folder = table(tmp_path / "pictures", IMAGES)
    rows = [
        {
            "image": {"bytes": (folder / f"{n}.png").read_bytes(), "path": f"{n}.png"},
            "image_id": n,
        }
        for n in range(3)
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "d" / "data" / "train-0.parquet")
    source = ParquetSource()
    reading = source.read(source.open(tmp_path / "d"), tmp_path / "d")
    assert reading.items["given_image_id"].to_list() == [0, 1, 2]


def test_texts_in_conditions_may_hold_names_and_keywords(tmp_path: Path) -> None:
    notes = ['the "label" of it', "drop read_csv(x)", "delete -- 'label'"]
    begun(tmp_path, table(tmp_path / "d", {"note": notes, "read_date": ["1"] * 3, **IMAGES}))
    likewise.ingest("toys", workspace=tmp_path)
    likewise.publish("toys", workspace=tmp_path)
    toys = likewise.open("toys", workspace=tmp_path).table
    for row, condition in enumerate(
        ("note like '%\"label\"%'", "note = 'drop read_csv(x)'", "note = 'delete -- ''label'''")
    ):
        assert matching_rows(toys, condition).tolist() == [n == row for n in range(3)]
        hits = likewise.query(
            f"select read_date, image_id from toys where {condition}",  # noqa: S608 (no input)
            workspace=tmp_path,
        )
        assert hits["image_id"].to_list() == [f"{row}.png"]
    with pytest.raises(DataError, match='"label" is a text, not the column'):
        matching_rows(toys, "\"label\" = 'a'")
    for name in ("read_csv", '"read_csv"', "read_csv /* ' */"):
        with pytest.raises(DataError, match="query reads the catalogue's tables, not files"):
            likewise.query(f"select * from {name}('/etc/passwd')", workspace=tmp_path)  # noqa: S608
