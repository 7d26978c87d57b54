import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lance
import pyarrow as pa
import pytest

import likewise
from likewise import commits
from likewise.steps.doctor import environment, leftovers
from likewise.workspace import Workspace

pytestmark = pytest.mark.dvc

RUNS = "runs:\n  emoji-tiny: {dataset: emoji, model: tiny, index: exact, protocol: gpr1200}"
NO_RUNS = "runs: {}"


def dvc(root: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "dvc", "--quiet", *arguments]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


@pytest.fixture(scope="module")
def _sound(_catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shared catalogue without its run, in git and DVC, everything recorded."""
    root = tmp_path_factory.mktemp("sound") / "workspace"
    shutil.copytree(_catalogue, root)
    params = (root / "params.yaml").read_text(encoding="utf-8")
    (root / "params.yaml").write_text(params.replace(RUNS, NO_RUNS), encoding="utf-8")
    likewise.init(root)
    dvc(root, "commit", "--force")
    return root


@pytest.fixture
def sound(_sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it for one test, which is then the current folder."""
    root = tmp_path / "workspace"
    shutil.copytree(_sound, root, symlinks=True)
    monkeypatch.chdir(root)
    return root


def found(check: str) -> list[tuple[str, str]]:
    """What the doctor says of one check, and the commands."""
    return [(p.what, p.command) for p in likewise.doctor() if p.check == check]


def edit(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def test_all_is_well(sound: Path) -> None:
    assert likewise.doctor(deep=True) == []


def test_it_changes_nothing(sound: Path) -> None:
    def state() -> dict[str, int]:
        files = (p for p in sound.rglob("*") if p.is_file() and ".likewise/locks" not in str(p))
        tracked = (p for p in files if not {".git", ".dvc"} & set(p.relative_to(sound).parts))
        return {str(p): p.stat().st_mtime_ns for p in tracked}

    before = state()
    likewise.doctor(deep=True)
    assert state() == before


def test_outside_a_catalogue(tmp_path: Path) -> None:
    with pytest.raises(likewise.MissingArtefactError, match="likewise init"):
        likewise.doctor(workspace=tmp_path)


def test_every_fault_of_params_is_told_and_nothing_else(sound: Path) -> None:
    edit(sound / "params.yaml", ("model: tiny", "model: tny, speed: 9"), ("seed: 0", "seed: x"))
    problems = likewise.doctor()
    assert {p.check for p in problems} == {"params"}
    assert len(problems) == 2
    assert {p.command for p in problems} == {"edit params.yaml"}


def test_kinds_that_there_are_not(sound: Path) -> None:
    edit(sound / "params.yaml", ("kind: exact", "kind: exat"), (NO_RUNS, RUNS))
    edit(sound / "params.yaml", ("protocol: gpr1200", "protocol: gpr12"))
    told = [what for what, _ in found("params")]
    assert len(told) == 2
    assert "exat" in told[0]
    assert "gpr12" in told[1]


def test_a_card_with_faults(sound: Path) -> None:
    edit(sound / "catalog" / "emoji.yaml", ("kind: gpr1200", "kind: gpr12000"))
    ((what, command),) = found("card")
    assert "did you mean 'gpr1200'" in what
    assert command == "edit catalog/emoji.yaml"


def test_a_card_without_an_entry_and_an_entry_without_a_card(sound: Path) -> None:
    (sound / "catalog" / "emoji.yaml").rename(sound / "catalog" / "birds.yaml")
    assert found("card") == [
        ("data set 'emoji' has no card", "git restore catalog/emoji.yaml"),
        (
            "birds.yaml is the card of a data set that params.yaml does not have",
            "edit params.yaml, or: rm catalog/birds.yaml",
        ),
    ]


def test_a_source_that_moved(sound: Path) -> None:
    (sound / "emoji" / "categories.json").rename(sound / "emoji" / "texts.json")
    ((what, command),) = found("source")
    assert what == "data set 'emoji': there is no emoji/categories.json"
    assert command == "edit datasets.emoji.annotations in params.yaml"


def test_results_that_are_missing(sound: Path) -> None:
    shutil.rmtree(sound / "catalog" / "emoji" / "items.lance")
    shutil.rmtree(sound / "models" / "tiny")
    assert found("missing") == [
        ("ingest@emoji: no catalog/emoji/items.lance", "dvc repro ingest@emoji"),
        ("train@tiny: no models/tiny", "dvc repro train@tiny"),
    ]


def test_what_a_remote_has_is_pulled(sound: Path, tmp_path: Path) -> None:
    dvc(sound, "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    shutil.rmtree(sound / "models" / "tiny")
    assert found("missing") == [("train@tiny: no models/tiny", "dvc pull models/tiny")]


def test_a_run_that_was_not_evaluated(sound: Path) -> None:
    edit(sound / "params.yaml", (NO_RUNS, RUNS))
    ((what, command),) = found("missing")
    assert "no reports/emoji-tiny.json" in what
    assert command == "dvc repro evaluate@emoji-tiny"


def relabel(table: Path, item: str) -> None:
    lance.dataset(table).update({"label": "'7'"}, where=f"item_id = '{item}'")


def test_a_table_that_was_changed_by_hand(sound: Path) -> None:
    relabel(sound / "catalog" / "emoji" / "items.lance", "0_noto.jpg")
    assert found("table") == [
        (
            "catalog/emoji/items.lance: not the content of items.yaml: label",
            "dvc checkout --force catalog/emoji/items.lance",
        )
    ]
    dvc(sound, "checkout", "--force", "catalog/emoji/items.lance")
    assert found("table") == []


def test_rows_that_are_gone(sound: Path) -> None:
    lance.dataset(sound / "catalog" / "emoji.lance").delete("item_id = '0_noto.jpg'")
    what, _ = found("table")[0]
    assert what == "catalog/emoji.lance: has 23 rows, and emoji.columns.yaml says 24"


def test_a_vector_that_was_changed(sound: Path) -> None:
    path = sound / "catalog" / "emoji.lance"
    rows = lance.dataset(path).to_table(filter="item_id = '0_noto.jpg'")
    number = rows.schema.get_field_index("tiny")
    field = rows.schema.field(number)
    vector = pa.array([[0.5] * field.type.list_size], field.type)
    lance.dataset(path).merge_insert("item_id").when_matched_update_all().execute(
        rows.set_column(number, field, vector)
    )
    ((what, _),) = found("table")
    assert what == "catalog/emoji.lance: not the content of emoji.columns.yaml: tiny"


def test_a_table_that_cannot_be_opened(sound: Path) -> None:
    table = sound / "catalog" / "emoji" / "items.lance"
    for manifest in table.glob("_versions/*.manifest"):
        manifest.unlink()
        manifest.write_bytes(b"no manifest")
    ((what, command),) = found("table")
    assert "items.lance is damaged" in what
    assert command == "dvc checkout --force catalog/emoji/items.lance"


def test_another_storage_format_and_other_columns(sound: Path) -> None:
    table = sound / "catalog" / "emoji" / "findings.lance"
    shutil.rmtree(table)
    lance.write_dataset(pa.table({"finding_id": ["x"]}), table, data_storage_version="2.1")
    told = [what for what, _ in found("table")]
    assert told[0].endswith("written in Lance's format 2.1, not 2.2")
    assert told[1].endswith("its columns are not the contract's: check, detail, path")


def test_pixels_are_read_again_only_when_asked(sound: Path) -> None:
    sidecars = list((sound / "catalog/emoji/images.lance").rglob("*.blob"))
    assert sidecars
    for path in sidecars:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 255
        path.unlink()
        path.write_bytes(data)
    assert found("table") == []
    (problem,) = [p for p in likewise.doctor(deep=True) if p.check == "table"]
    assert "1 images are not what was ingested: " in problem.what
    assert problem.command == "dvc checkout --force catalog/emoji/images.lance"


def test_weights_that_are_not_the_passports(sound: Path) -> None:
    weights = sound / "models" / "tiny" / "model.safetensors"
    data = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(data[:-1] + b"\0")
    ((what, command),) = found("model")
    assert what == "models/tiny/model.safetensors is not the file of its passport"
    assert command == "dvc checkout --force models/tiny"


def test_vectors_of_another_model_of_that_name(sound: Path) -> None:
    edit(sound / "params.yaml", ("weights: random", "weights: random, input_size: 96"))
    likewise.train("tiny")
    assert found("stale") == [
        (
            "catalog/emoji/embeddings/tiny.lance was not made by the present models/tiny",
            "dvc repro embed@emoji-tiny",
        )
    ]


def test_what_nothing_asks_for(sound: Path) -> None:
    catalog, reports = sound / "catalog", sound / "reports"
    shutil.copytree(catalog / "emoji.lance", catalog / "birds.lance")
    shutil.copytree(catalog / "emoji", catalog / "birds")
    shutil.copytree(
        catalog / "emoji" / "embeddings" / "tiny.lance",
        catalog / "emoji" / "embeddings" / "old.lance",
    )
    shutil.copy(catalog / "emoji" / "columns" / "tiny.yaml", catalog / "emoji/columns/old.yaml")
    shutil.copytree(sound / "models" / "tiny", sound / "models" / "old")
    reports.mkdir()
    (reports / "emoji-old.json").write_text("{}", encoding="utf-8")
    (reports / "hits.html").write_text("a page of one's own", encoding="utf-8")
    assert [command for _, command in found("orphan")] == [
        "rm -r catalog/birds.lance",
        "rm -r catalog/birds",
        "rm -r catalog/emoji/embeddings/old.lance",
        "rm -r catalog/emoji/columns/old.yaml",
        "rm -r reports/emoji-old.json",
        "rm -r models/old",
    ]


def test_half_done_work(sound: Path) -> None:
    ws = Workspace(sound)
    for job in ("ingest-emoji", "embed-birds-tiny"):
        ws.staging(job).mkdir(parents=True)
        (ws.staging(job) / "part").write_bytes(bytes(2_000_000))
    assert found("unfinished") == [
        (
            "embed-birds-tiny was stopped; 2.0 MB of its work are kept",
            "rm -r .likewise/staging/embed-birds-tiny",
        ),
        ("ingest-emoji was stopped; 2.0 MB of its work are kept", "dvc repro ingest@emoji"),
    ]
    with commits.alone(ws, "ingest-emoji"):
        assert [what.split()[0] for what, _ in found("unfinished")] == ["embed-birds-tiny"]


def test_views_count_only_as_far_as_they_hold_something(
    sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "OLD_VIEWS", 1000)
    views = sound / ".likewise" / "views"
    (views / "1").mkdir(parents=True)
    (sound / "kept").write_bytes(bytes(5000))
    os.link(sound / "kept", views / "1" / "kept")
    assert found("views") == []
    (sound / "kept").unlink()
    assert found("views") == [
        ("5 kB of old versions lie only in .likewise/views", "rm -r .likewise/views")
    ]


def test_a_library_of_another_release(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(environment.KNOWN_TO_WORK, "polars", "99")
    ((what, command),) = found("library")
    assert "likewise was tested with 99" in what
    assert command == "pip install 'polars==99.*'"


def test_an_edited_pipeline(sound: Path) -> None:
    with (sound / "dvc.yaml").open("a", encoding="utf-8") as file:
        file.write("# mine\n")
    assert found("dvc") == [
        (
            "dvc.yaml is not the one that this version of likewise writes",
            "mv dvc.yaml dvc.yaml.old && likewise init",
        )
    ]


def test_stages_that_are_out_of_date(sound: Path) -> None:
    edit(sound / "emoji" / "categories.json", ("house", "home"))
    assert found("dvc") == [("1 stages are out of date: ingest@emoji", "dvc repro")]


BROKEN: list[Callable[[Path], object]] = [
    lambda root: shutil.rmtree(root / ".dvc"),
    lambda root: (root / "dvc.yaml").unlink(),
]


@pytest.mark.parametrize("spoil", BROKEN, ids=["no .dvc", "no dvc.yaml"])
def test_no_pipeline(sound: Path, spoil: Callable[[Path], object]) -> None:
    spoil(sound)
    assert found("dvc")[0][1] == "likewise init"
    likewise.init(sound)
    assert "likewise init" not in [command for _, command in found("dvc")]
