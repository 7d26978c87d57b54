import json
import shutil
from pathlib import Path

import polars as pl
import pytest

import forked
import likewise
from likewise.errors import DataError, UnknownNameError

PER_LABEL = {"0": 4, "200": 4, "400": 4, "600": 4, "800": 4, "1000": 4}


def test_the_published_table_has_the_name_of_its_data_set(workspace: Path) -> None:
    found = likewise.query("select label, count(*) as n from emoji group by label")
    assert dict(found.frame.iter_rows()) == PER_LABEL


def test_a_folder_in_the_catalogue_can_be_named(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = likewise.query("select item_id from emoji", workspace=workspace / "catalog")
    assert len(found) == 24


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select image_id from emoji_images", 24),
        ("select item_id from emoji_items", 24),
        ("select * from emoji_findings", 0),
    ],
)
def test_the_tables_of_ingest(workspace: Path, sql: str, rows: int) -> None:
    assert len(likewise.query(sql)) == rows


def test_a_join_over_two_tables(workspace: Path) -> None:
    found = likewise.query(
        "select i.label, f.nbytes from emoji_items as i "
        "join emoji_images as f on i.image_id = f.image_id where f.image_id = '0_noto.jpg'"
    )
    size = (workspace / "emoji" / "images" / "0_noto.jpg").stat().st_size
    assert found.frame.rows() == [("0", size)]


def test_pixels_are_never_selected(workspace: Path) -> None:
    columns = likewise.query("select * from emoji_images").columns
    assert "sha256" in columns
    assert "image" not in columns


def test_vectors_are_columns_of_their_models_name(workspace: Path) -> None:
    found = likewise.query("select tiny from emoji limit 2")
    stored = likewise.open("emoji").vectors("tiny")
    assert found["tiny"].to_list() == stored[:2].tolist()


def test_the_results_of_a_run(workspace: Path) -> None:
    (workspace / "reports").mkdir()
    rows = pl.DataFrame({"item_id": ["0_noto.jpg"], "value": [0.25]})
    rows.write_parquet(workspace / "reports" / "emoji-tiny.parquet")
    assert likewise.query("select value from queries_emoji_tiny").frame.rows() == [(0.25,)]
    assert likewise.query('select value from "queries_emoji-tiny"').frame.rows() == [(0.25,)]


def test_a_limit(workspace: Path) -> None:
    assert len(likewise.query("select item_id from emoji", limit=5)) == 5


def test_show_tables_lists_what_is_made(workspace: Path) -> None:
    found = likewise.query("show tables")
    assert found["name"].to_list() == ["emoji", "emoji_findings", "emoji_images", "emoji_items"]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select lable from emoji", "no column 'lable'; did you mean 'label'"),
        ("select label from emogi", "no table 'emogi'; did you mean 'emoji'"),
        ("selec label from emoji", "the SQL cannot be answered: sql parser error"),
        ("select sum(label) from emoji", "the SQL cannot be answered: `sum` operation"),
        ("", "the SQL cannot be answered"),
        ("delete from emoji where label = '0'", "query only reads"),
        ("  DROP TABLE emoji", "query only reads"),
    ],
)
def test_wrong_sql_is_reported_in_a_line(workspace: Path, sql: str, told: str) -> None:
    with pytest.raises(likewise.DataError) as caught:
        likewise.query(sql)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "sql", ["select * from read_csv('{}')", "select * from \"READ_CSV\" /**/ ('{}')"]
)
def test_no_file_next_to_the_catalogue_can_be_read(workspace: Path, sql: str) -> None:
    secret = workspace / "secret.csv"
    secret.write_text("key\n1\n", encoding="utf-8")
    with pytest.raises(likewise.DataError, match="reads the catalogue's tables, not files"):
        likewise.query(sql.format(secret))


def test_a_table_that_is_not_made_yet_names_the_command(workspace: Path) -> None:
    shutil.rmtree(workspace / "catalog" / "emoji.lance")
    with pytest.raises(likewise.MissingArtefactError, match="run: dvc repro publish@emoji"):
        likewise.query("select label from emoji")
    with pytest.raises(likewise.MissingArtefactError, match="dvc repro evaluate@emoji-tiny"):
        likewise.query("select value from queries_emoji_tiny")


def test_a_column_may_be_called_as_a_table_that_is_not_made(workspace: Path) -> None:
    shutil.rmtree(workspace / "catalog" / "emoji.lance")
    found = likewise.query("select label as emoji from emoji_items", limit=1)
    assert found.frame.rows() == [("0",)]


def test_parquet_keeps_vectors(workspace: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    assert likewise.query("select item_id, tiny from emoji").to_parquet(file) == 24
    stored = likewise.open("emoji").vectors("tiny")
    assert pl.read_parquet(file)["tiny"].to_list() == stored.tolist()


def test_csv_has_vectors_as_json(workspace: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    sql = "select item_id, box, tiny from emoji"
    assert likewise.query(sql, limit=3).to_csv(str(file)) == 3
    rows = pl.read_csv(file)
    assert rows["box"].to_list() == [None, None, None]
    stored = likewise.open("emoji").vectors("tiny")
    for text, vector in zip(rows["tiny"], stored[:3], strict=True):
        assert json.loads(text) == pytest.approx(vector.tolist(), rel=1e-6)


def test_a_failed_export_leaves_the_file_as_it_was(workspace: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(likewise.DataError, match="no column 'lable'"):
        likewise.query("select lable from emoji")
    late = likewise.query("select cast(text as int) as number from emoji")
    for write in (late.to_csv, late.to_parquet):
        with pytest.raises(likewise.DataError, match="the SQL cannot be answered"):
            write(file)
    assert file.read_text(encoding="utf-8") == "mine"
    assert not list(tmp_path.glob(".rows*"))


def test_an_export_into_no_folder(workspace: Path, tmp_path: Path) -> None:
    with pytest.raises(likewise.DataError, match="create it first"):
        likewise.query("show tables").to_csv(tmp_path / "away" / "rows.csv")


@pytest.mark.dvc
def test_a_table_that_a_running_stage_removed_is_still_there(recorded: Path) -> None:
    sql = "select item_id, label, tiny from emoji"
    before = likewise.query(sql).frame
    shutil.rmtree(recorded / "catalog" / "emoji.lance")
    assert likewise.query(sql).frame.equals(before)


def test_a_selection_limits_the_rows_of_its_data_set(workspace: Path) -> None:
    likewise.select("emoji", "houses", where="label = '0'")
    count = "select count(*) as n from emoji"
    assert likewise.query(count, selection="houses")[0] == {"n": 4}
    joined = "select i.item_id from emoji_items i join emoji e on i.item_id = e.item_id"
    assert len(likewise.query(joined, selection="houses")) == 4
    assert len(likewise.query("select * from emoji", selection="houses", limit=3)) == 3
    words = ("query", count, "--selection", "houses", "--json")
    printed = forked.run(workspace, "likewise", *words)
    assert json.loads(printed.stdout) == [{"n": 4}]
    with pytest.raises(UnknownNameError, match="did you mean 'houses'"):
        likewise.query(count, selection="house")
    with pytest.raises(DataError, match="the SQL names none"):
        likewise.query("select count(*) from emoji_items", selection="houses")
    with pytest.raises(DataError, match="cannot name a selection"):
        likewise.query(count, selection="../houses")
