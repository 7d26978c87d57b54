import json
import shutil
from pathlib import Path

import pytest

import likewise
from likewise.errors import DataError


def test_a_published_data_set_is_described_completely(workspace: Path) -> None:
    found = likewise.show("emoji")
    assert (found.dataset, found.state, found.path) == ("emoji", "published", "emoji/images")
    assert found.card.title == "Emoji in GPR1200's layout"
    contents = found.contents
    assert contents is not None
    assert (contents.items, contents.images) == (6 * 4, 6 * 4)
    subsets = ["landmarks", "inat", "sketch", "instre", "sop", "faces"]
    assert contents.subsets == dict.fromkeys(subsets, 4)
    assert list(contents.subsets) == subsets
    assert contents.formats == {"JPEG": 24}
    assert (contents.widths, contents.heights) == ((160, 160), (160, 160))
    pictures = (workspace / "emoji" / "images").iterdir()
    assert contents.nbytes == sum(picture.stat().st_size for picture in pictures)
    assert found.findings == {}


def test_labels_are_counted(workspace: Path) -> None:
    contents = likewise.show("emoji").contents
    assert contents is not None
    labels = contents.labels
    assert labels is not None
    assert (labels.number, labels.fewest, labels.median, labels.most) == (6, 4, 4, 4)
    assert labels.unlabelled == 0
    assert labels.first[:2] == ["0 (house)", "200 (elephant)"]


def test_models_are_described_by_their_passports(workspace: Path) -> None:
    (model,) = likewise.show("emoji").models
    assert (model.model, model.dtype) == ("tiny", "float32")
    assert model.dim == model.passport.dim == likewise.open("emoji").vectors("tiny").shape[1]
    assert model.passport.backbone == "test_resnet.r160_in1k"


def test_the_next_command_is_the_one_that_is_missing(workspace: Path) -> None:
    assert likewise.show("emoji").next == "dvc repro evaluate@emoji-tiny"
    (workspace / "reports").mkdir()
    numbers = {"mAP": 0.5}
    (workspace / "reports" / "emoji-tiny.json").write_text(json.dumps(numbers), "utf-8")
    found = likewise.show("emoji")
    assert found.next is None
    assert [run.metrics for run in found.runs] == [numbers]


def test_a_data_set_that_is_only_ingested(workspace: Path) -> None:
    shutil.rmtree(workspace / "catalog" / "emoji.lance")
    found = likewise.show("emoji")
    assert (found.state, found.next) == ("ingested", "dvc repro publish@emoji")
    assert found.models == []
    assert found.contents is not None
    assert found.contents.items == 24


def test_a_data_set_that_is_only_added(workspace: Path) -> None:
    shutil.rmtree(workspace / "catalog" / "emoji.lance")
    shutil.rmtree(workspace / "catalog" / "emoji")
    found = likewise.show("emoji")
    assert (found.state, found.next) == ("added", "dvc repro ingest@emoji")
    assert found.contents is None


def test_only_the_published_table_was_pulled(workspace: Path) -> None:
    whole = likewise.show("emoji")
    shutil.rmtree(workspace / "catalog" / "emoji")
    found = likewise.show("emoji")
    assert found.state == "published"
    assert found.contents == whole.contents


def test_a_model_that_is_not_published_yet(workspace: Path) -> None:
    params = workspace / "params.yaml"
    text = params.read_text(encoding="utf-8")
    text = text.replace("models:\n", "models:\n  new: {kind: timm, backbone: resnet18}\n")
    text = text.replace("embeddings:\n", "embeddings:\n  n: {dataset: emoji, model: new}\n")
    params.write_text(text, encoding="utf-8")
    assert likewise.show("emoji").next == "dvc repro publish@emoji"


def test_findings_are_counted_a_check(workspace: Path) -> None:
    images = workspace / "emoji" / "images"
    for name in ("0_text.jpg", "200_text.jpg", "noname.jpg"):
        (images / name).write_text("no picture", encoding="utf-8")
    likewise.ingest("emoji")
    assert likewise.show("emoji").findings == {"not-an-image": 2, "bad-name": 1}


def test_the_list_reads_digests_alone(workspace: Path) -> None:
    for table in (workspace / "catalog").rglob("*.lance"):
        shutil.rmtree(table)
    (summary,) = likewise.datasets()
    assert (summary.dataset, summary.state, summary.items) == ("emoji", "published", 24)
    assert (summary.models, summary.runs) == (["tiny"], ["emoji-tiny"])


def test_the_list_of_what_is_only_added(workspace: Path) -> None:
    shutil.rmtree(workspace / "catalog" / "emoji")
    (workspace / "catalog" / "emoji.columns.yaml").unlink()
    (summary,) = likewise.datasets()
    assert (summary.state, summary.items, summary.models) == ("added", None, [])


def test_metrics_of_a_merge_that_nobody_finished_are_one_error(workspace: Path) -> None:
    (run,) = [run.run for run in likewise.show("emoji").runs][:1]
    path = workspace / "reports" / f"{run}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text('<<<<<<< HEAD\n{"mAP": 0.5}\n=======\n', encoding="utf-8")
    with pytest.raises(
        DataError, match=rf"{run}\.json is damaged; make it again with: dvc repro"
    ):
        likewise.show("emoji")
