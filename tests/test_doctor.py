import os
import shutil
from pathlib import Path

import lance
import pyarrow as pa
import pytest

import likewise
from doctor_findings import edit, found
from forked import run_dvc
from likewise.steps.doctor import leftovers
from likewise.storage import journal
from likewise.storage.versions import run_git
from likewise.storage.workspace import Workspace

pytestmark = pytest.mark.dvc


def test_all_is_well(recorded: Path) -> None:
    assert likewise.doctor(deep=True) == []


def test_it_changes_nothing(recorded: Path) -> None:
    def state() -> dict[str, int]:
        files = (
            p for p in recorded.rglob("*") if p.is_file() and ".likewise/locks" not in str(p)
        )
        tracked = (
            p for p in files if not {".git", ".dvc"} & set(p.relative_to(recorded).parts)
        )
        return {str(p): p.stat().st_mtime_ns for p in tracked}

    before = state()
    likewise.doctor(deep=True)
    assert state() == before


def test_outside_a_catalogue(tmp_path: Path) -> None:
    with pytest.raises(likewise.MissingArtefactError, match="likewise init"):
        likewise.doctor(workspace=tmp_path)


def test_every_fault_of_params_is_reported_and_nothing_else(recorded: Path) -> None:
    edit(
        recorded / "params.yaml",
        ("model: tiny", "model: tny, speed: 9"),
        ("seed: 0", "seed: x"),
    )
    problems = likewise.doctor()
    assert {p.check for p in problems} == {"params"}
    assert len(problems) == 1 + 2
    assert {p.command for p in problems} == {"edit params.yaml"}


def test_unknown_kinds(recorded: Path) -> None:
    edit(recorded / "params.yaml", ("kind: exact", "kind: exat"), (": gpr1200}", ": gpr12}"))
    told = [what for what, _ in found("params")]
    assert len(told) == 2
    assert "exat" in told[0]
    assert "gpr12" in told[1]


def test_a_card_with_faults(recorded: Path) -> None:
    edit(recorded / "catalog" / "emoji.yaml", ("kind: gpr1200", "kind: gpr12000"))
    ((what, command),) = found("card")
    assert "did you mean 'gpr1200'" in what
    assert command == "edit catalog/emoji.yaml"


def test_a_card_without_an_entry_and_an_entry_without_a_card(recorded: Path) -> None:
    run_git(recorded, "add", "--all")
    run_git(recorded, "commit", "--quiet", "--message", "made")
    (recorded / "catalog" / "emoji.yaml").rename(recorded / "catalog" / "birds.yaml")
    assert found("card") == [
        ("data set 'emoji' has no card", "git restore catalog/emoji.yaml"),
        (
            "birds.yaml is the card of a data set that params.yaml does not have",
            "edit params.yaml",
        ),
    ]


def test_an_entry_that_was_renamed_by_hand(recorded: Path) -> None:
    run_git(recorded, "add", "--all")
    run_git(recorded, "commit", "--quiet", "--message", "made")
    edit(
        recorded / "params.yaml",
        ("\n  emoji: ", "\n  birds: "),
        ("dataset: emoji", "dataset: birds"),
    )
    problems = [(p.check, p.command) for p in likewise.doctor()]
    assert problems[0] == ("card", "git restore params.yaml && likewise rename emoji birds")
    assert "orphan" not in [check for check, _ in problems]
    run_git(recorded, "restore", "params.yaml")
    likewise.rename("emoji", "birds")
    assert likewise.doctor() == []


def test_a_source_that_moved(recorded: Path) -> None:
    (recorded / "emoji" / "categories.json").rename(recorded / "emoji" / "texts.json")
    ((what, command),) = found("source")
    assert what == "data set 'emoji': there is no emoji/categories.json"
    assert command == "edit datasets.emoji.annotations in params.yaml"


def test_results_that_are_missing(recorded: Path) -> None:
    shutil.rmtree(recorded / "catalog" / "emoji" / "items.lance")
    shutil.rmtree(recorded / "models" / "tiny")
    assert found("missing") == [
        ("ingest@emoji has no output catalog/emoji/items.lance", "dvc repro ingest@emoji"),
        ("load@tiny has no output models/tiny", "dvc repro load@tiny"),
    ]


def test_what_a_remote_has_is_pulled(recorded: Path, tmp_path: Path) -> None:
    run_dvc(recorded, "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    shutil.rmtree(recorded / "models" / "tiny")
    assert found("missing") == [("load@tiny has no output models/tiny", "dvc pull models/tiny")]


def test_a_run_that_was_not_evaluated(recorded: Path) -> None:
    shutil.rmtree(recorded / "reports")
    ((what, command),) = found("missing")
    assert what.startswith("evaluate@emoji-tiny has no output reports/emoji-tiny.json, ")
    assert command == "dvc repro evaluate@emoji-tiny"


def relabel(table: Path, item: str) -> None:
    lance.dataset(table).update({"label": "'7'"}, where=f"item_id = '{item}'")


def test_a_table_that_was_changed_by_hand(recorded: Path) -> None:
    relabel(recorded / "catalog" / "emoji" / "items.lance", "0_noto.jpg")
    assert found("table") == [
        (
            "catalog/emoji/items.lance: differs from items.yaml: label",
            "dvc checkout --force catalog/emoji/items.lance",
        )
    ]
    run_dvc(recorded, "checkout", "--force", "catalog/emoji/items.lance")
    assert found("table") == []


def test_rows_that_are_gone(recorded: Path) -> None:
    lance.dataset(recorded / "catalog" / "emoji.lance").delete("item_id = '0_noto.jpg'")
    what, _ = found("table")[0]
    assert what == "catalog/emoji.lance: has 23 rows, and emoji.columns.yaml says 24"


def test_a_vector_that_was_changed(recorded: Path) -> None:
    path = recorded / "catalog" / "emoji.lance"
    rows = lance.dataset(path).to_table(filter="item_id = '0_noto.jpg'")
    number = rows.schema.get_field_index("tiny")
    field = rows.schema.field(number)
    vector = pa.array([[0.5] * field.type.list_size], field.type)
    lance.dataset(path).merge_insert("item_id").when_matched_update_all().execute(
        rows.set_column(number, field, vector)
    )
    ((what, _),) = found("table")
    assert what == "catalog/emoji.lance: differs from emoji.columns.yaml: tiny"


def test_a_table_that_cannot_be_opened(recorded: Path) -> None:
    table = recorded / "catalog" / "emoji" / "items.lance"
    for manifest in table.glob("_versions/*.manifest"):
        manifest.unlink()
        manifest.write_bytes(b"no manifest")
    ((what, command),) = found("table")
    assert "items.lance: is damaged (" in what
    assert command == "dvc checkout --force catalog/emoji/items.lance"


def test_another_storage_format_and_other_columns(recorded: Path) -> None:
    table = recorded / "catalog" / "emoji" / "findings.lance"
    shutil.rmtree(table)
    lance.write_dataset(pa.table({"finding_id": ["x"]}), table, data_storage_version="2.1")
    told = [what for what, _ in found("table")]
    assert told[0].endswith("written in Lance's format 2.1, not 2.2")
    assert told[1].endswith("its columns differ from the contract: check, detail, path")


def test_changed_pixels_are_named_and_their_images_by_a_deep_check(recorded: Path) -> None:
    sidecars = list((recorded / "catalog/emoji/images.lance").rglob("*.blob"))
    assert sidecars
    for path in sidecars:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 255
        path.unlink()
        path.write_bytes(data)
    # DVC sees when a file was changed; only a deep check tells which images it held.
    ((what, _),) = found("table")
    assert "images.lance: 1 file was changed: data/" in what
    (problem,) = [p for p in likewise.doctor(deep=True) if p.check == "table"]
    assert "1 image differs from the ingested files: " in problem.what
    assert problem.command == "dvc checkout --force catalog/emoji/images.lance"


def test_weights_that_are_not_the_passports(recorded: Path) -> None:
    weights = recorded / "models" / "tiny" / "model.safetensors"
    data = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(data[:-1] + b"\0")
    ((what, command),) = found("model")
    assert what == "models/tiny/model.safetensors differs from the digest in its passport"
    assert command == "dvc checkout --force models/tiny"


def test_vectors_of_another_model_of_that_name(recorded: Path) -> None:
    edit(recorded / "params.yaml", ("weights: random", "weights: random, input_size: 96"))
    likewise.load("tiny")
    assert found("stale") == [
        (
            "catalog/emoji/embeddings/tiny.lance was made by an older version of models/tiny",
            "dvc repro embed@emoji-tiny",
        )
    ]


def test_what_nothing_asks_for(recorded: Path) -> None:
    catalog, reports = recorded / "catalog", recorded / "reports"
    shutil.copytree(catalog / "emoji.lance", catalog / "birds.lance")
    shutil.copytree(catalog / "emoji", catalog / "birds")
    shutil.copytree(
        catalog / "emoji" / "embeddings" / "tiny.lance",
        catalog / "emoji" / "embeddings" / "old.lance",
    )
    shutil.copy(catalog / "emoji" / "columns" / "tiny.yaml", catalog / "emoji/columns/old.yaml")
    shutil.copytree(recorded / "models" / "tiny", recorded / "models" / "old")
    for name in ("emoji-old.json", "emoji-old.report.json"):
        (reports / name).write_text("{}", encoding="utf-8")
    likewise.report(next(iter(Workspace(recorded).params.runs)))
    (reports / "hits.html").write_text("a page of one's own", encoding="utf-8")
    assert [command for _, command in found("orphan")] == [
        "rm -r catalog/birds.lance",
        "rm -r catalog/birds",
        "rm -r catalog/emoji/embeddings/old.lance",
        "rm -r catalog/emoji/columns/old.yaml",
        "rm -r reports/emoji-old.json",
        "rm -r reports/emoji-old.report.json",
        "rm -r models/old",
    ]


def test_half_done_work(recorded: Path) -> None:
    ws = Workspace(recorded)
    for job in ("ingest-emoji", "embed-birds-tiny"):
        ws.staging(job).mkdir(parents=True)
        (ws.staging(job) / "part").write_bytes(bytes(2_000_000))
    assert found("unfinished") == [
        (
            "embed-birds-tiny was stopped; 2.0 MB of partial results are kept",
            "rm -r .likewise/staging/embed-birds-tiny",
        ),
        (
            "ingest-emoji was stopped; 2.0 MB of partial results are kept",
            "dvc repro ingest@emoji",
        ),
    ]
    with journal.exclusive_job(ws, "ingest-emoji"):
        assert [what.split()[0] for what, _ in found("unfinished")] == ["embed-birds-tiny"]


def test_views_count_only_as_far_as_they_hold_something(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "OLD_VIEWS", 1000)
    views = recorded / ".likewise" / "views"
    shutil.rmtree(views, ignore_errors=True)
    (views / "1").mkdir(parents=True)
    (recorded / "kept").write_bytes(bytes(5000))
    os.link(recorded / "kept", views / "1" / "kept")
    assert found("views") == []
    (recorded / "kept").unlink()
    assert found("views") == [
        (
            "5.0 kB of files of old versions exist only in .likewise/views",
            "rm -r .likewise/views",
        )
    ]
