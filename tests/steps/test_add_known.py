"""Add a public data set by its name: card, runs, published counts, gates of the licence."""

import json
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

import likewise
from known_miniatures import Miniature, miniatures
from layout_trees import picture
from likewise.cli.app import app
from likewise.errors import DataError, UnknownNameError
from likewise.exports.licences import licence_verdict
from likewise.sources.known import known_datasets
from likewise.storage.config import read_card, read_params

PARAMS = """\
datasets: {}
models:
  small: {kind: timm, backbone: test_resnet.r160_in1k, weights: random}
embeddings: {}
indexes:
  exact: {kind: exact}
runs: {}
"""


def with_pictures(miniature: Miniature) -> Miniature:
    """Return the miniature with pictures that can be decoded."""
    size = (400, 340)
    files = {
        name: picture(size) if name.endswith(".jpg") else data
        for name, data in miniature.files.items()
    }
    return Miniature(files, miniature.columns, miniature.items, archives=miniature.archives)


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "catalog").mkdir()
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_downloaded_archive_is_added_and_its_counts_are_checked(catalogue: Path) -> None:
    miniature = with_pictures(miniatures()["cub-200-2011"])
    miniature.write_packed(catalogue / "data" / "cub-200-2011")
    words = ["add", "cub_200_2011", "--source", "cub-200-2011"]
    printed = CliRunner().invoke(app, [*words, "--path", "data/cub-200-2011"]).stdout
    assert "layout: cub-200-2011, read by --source table: split by class" in printed
    difference = "split train: 2 of 5,864 items"
    assert "differs from the published counts: 4 of 11,788 images; 4 of " in printed
    assert difference in printed
    card = read_card(catalogue / "catalog" / "cub_200_2011.yaml")
    assert (card.title, card.known) == ("CUB-200-2011", "cub-200-2011")
    assert card.homepage.startswith("https://www.vision.caltech.edu/")
    assert card.counts.splits == {"train": 5864, "test": 5924}
    assert card.source["split"] == "class"
    assert "noncommercial" in licence_verdict(
        card.licence, "commercial", changed=False
    ).clause.replace("-", "")
    params = read_params(catalogue / "params.yaml")
    assert params.datasets["cub_200_2011"].path == "data/cub-200-2011/CUB_200_2011.tgz"
    run = params.runs["cub_200_2011-small-metric-learning"]
    assert (run.protocol, run.index) == ("metric-learning", "exact")
    ingested = likewise.ingest("cub_200_2011")
    assert ingested.items == 4
    # images, items, labels, both splits
    assert ingested.findings == {"incomplete": 5}
    rows = likewise.findings("cub_200_2011").first
    assert difference in {f"{row.path}: {row.detail}" for row in rows}


def test_a_folder_is_recognised_by_its_files_and_the_number_of_images(
    catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    miniatures()["cub-200-2011"].write(catalogue / "birds")
    likewise.add("others", path="birds")  # it has 5 images, and 11,788 are published
    assert not read_card(catalogue / "catalog" / "others.yaml").known
    known = known_datasets()["cub-200-2011"]
    few = known.counts.model_copy(update={"images": 4})
    monkeypatch.setitem(
        known_datasets(), "cub-200-2011", known.model_copy(update={"counts": few})
    )
    added = likewise.add("birds", path="birds")
    assert added.layout.startswith("cub-200-2011, read by --source table")
    assert added.splits == {"train": 2, "test": 2}


def test_a_data_set_is_validated_by_its_name(catalogue: Path) -> None:
    miniatures()["market-1501"].write(catalogue / "data")
    report = likewise.validate("market-1501", "data")
    assert report.items == 5
    # images, items, labels, both splits, both roles; and two files of the miniature
    assert report.counts == {"bad-name": 1, "incomplete": 7, "not-an-image": 1}
    words = ["validate", "market-1501", "data", "--json"]
    assert CliRunner().invoke(app, words).exit_code == 1


def test_options_change_what_is_read(catalogue: Path) -> None:
    miniatures()["cub-200-2011"].write(catalogue / "data")
    options = {"split": "official_split", "values": "split: 1=train 0=test"}
    added = likewise.add("birds", source="cub-200-2011", path="data", options=options)
    assert added.splits == {"train": 2, "test": 2}
    rows = likewise.validate("cub-200-2011", "data", options=options).rows
    assert {row["item_id"].rpartition("/")[2]: row["split"] for row in rows} == {
        "A_1.jpg#1": "test", "P_1.jpg#1": "train", "W_1.jpg#1": "train", "Y_1.jpg#1": "test"
    }  # fmt: skip


def test_a_card_to_copy_may_have_the_name_of_no_data_set(catalogue: Path) -> None:
    miniatures()["food-101"].write(catalogue / "data")
    card = {"title": "Dishes", "source": {"kind": "folder"}, "known": "dishes-of-the-lab"}
    (catalogue / "lab.yaml").write_text(yaml.safe_dump(card), "utf-8")
    likewise.add("dishes", path="data", card="lab.yaml")
    assert read_card(catalogue / "catalog" / "dishes.yaml").known == "dishes-of-the-lab"


def test_known_data_sets_are_listed() -> None:
    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["kinds", *words])

    listed = run("sources", "--known").stdout
    assert re.search(r"^in-shop +table +DeepFashion", listed, re.MULTILINE)
    one = run("sources", "cub-200-2011", "--known").stdout
    assert re.search(
        r"^licence +the images may be used only for non-commercial", one, re.MULTILINE
    )
    assert re.search(
        r"^counts +11,788 images, 11,788 items, 200 labels; splits", one, re.MULTILINE
    )
    offers = {offer["name"]: offer for offer in json.loads(run("--known", "--json").stdout)}
    assert offers["market-1501"]["protocols"] == ["market-1501"]
    assert offers["market-1501"]["forms"][0].startswith("bounding_box_train/, ")
    assert json.loads(run("sources", "in-shop", "--known", "--json").stdout)["forbids"] == [
        "commercial",
        "sharing",
    ]
    assert run("sources", "in-shops", "--known").exit_code == 1
    assert run("protocols", "--known").exit_code == 2


def test_bounds_of_flags_suit_the_images(catalogue: Path) -> None:
    miniatures()["sketchy"].write(catalogue / "data")
    likewise.add("sketchy", source="sketchy", path="data")
    checks = read_params(catalogue / "params.yaml").checks["sketchy"]
    assert (checks.max_brightness, checks.min_side) == (None, 200)
    card = read_card(catalogue / "catalog" / "sketchy.yaml")
    assert (card.licence.spdx, card.licence.terms) == ("NOASSERTION", "")


def test_other_files_are_one_error_that_lists_the_expected_ones(catalogue: Path) -> None:
    (catalogue / "data").mkdir()
    (catalogue / "data" / "a.jpg").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        likewise.add("birds", source="cub-200-2011", path="data")
    text = str(caught.value)
    assert "expected images.txt, image_class_labels.txt" in text
    assert "there is 'a.jpg'" in text
    assert len(text.splitlines()) == 1
    with pytest.raises(UnknownNameError, match=r"did you mean 'food-101'\?"):
        likewise.add("food", source="food-1O1", path="data")


def test_a_folder_with_images_of_others_says_which_are_left_out(catalogue: Path) -> None:
    miniatures()["market-1501"].write(catalogue / "data")
    others = [catalogue / "data" / "holiday" / f"{number}.jpg" for number in range(3)]
    others[0].parent.mkdir()
    for path in others:
        path.write_bytes(b"")
    words = ["add", "people", "--source", "market-1501", "--path", "data"]
    printed = CliRunner().invoke(app, words).stdout
    first = re.compile(r"findings: bad-name 4, not-an-image 1; such as .*: no pattern matches")
    assert first.search(printed), printed


def test_a_surplus_is_a_finding_and_a_user_may_state_counts(catalogue: Path) -> None:
    for name in ("cat/1.jpg", "cat/2.jpg", "dog/3.jpg"):
        (catalogue / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (catalogue / "data" / name).write_bytes(picture())
    likewise.add("pets", source="folder", path="data")
    path = catalogue / "catalog" / "pets.yaml"
    card = yaml.safe_load(path.read_text("utf-8"))
    card["counts"] = {"images": 2, "labels": 2, "splits": {"test": 1}}
    path.write_text(yaml.safe_dump(card), "utf-8")
    assert likewise.ingest("pets").findings == {"incomplete": 1, "surplus": 1}
    rows = {row.path: row.detail for row in likewise.findings("pets").first}
    assert rows == {"images": "3 images, 2 are published", "split test": "0 of 1 item"}


def test_a_kind_with_the_name_of_a_data_set_reads_other_files_too(catalogue: Path) -> None:
    for name in ("0_a.jpg", "0_b.jpg", "7_c.jpg"):
        (catalogue / "data").mkdir(exist_ok=True)
        (catalogue / "data" / name).write_bytes(picture())
    assert likewise.add("drawings", source="gpr1200", path="data").incomplete == []
    assert not read_card(catalogue / "catalog" / "drawings.yaml").known


def test_a_kind_with_its_own_name_has_the_facts_of_the_data_set(catalogue: Path) -> None:
    miniatures()["gpr1200"].write_packed(catalogue / "data" / "gpr1200")
    likewise.add("gpr1200", source="gpr1200", path="data/gpr1200")
    entry = read_params(catalogue / "params.yaml").datasets["gpr1200"]
    assert entry.path == "data/gpr1200/GPR1200.zip"
    assert entry.annotations == "data/gpr1200/GPR1200_categoryNumber_to_text.json"
    # Two images are not the benchmark: the kind writes an option, and there are no counts.
    card = read_card(catalogue / "catalog" / "gpr1200.yaml")
    assert (card.known, card.source["subsets"]) == ("", "none")
    miniatures()["roxford5k"].write(catalogue / "data" / "roxford5k")
    added = likewise.add("roxford5k", source="roxford5k", path="data/roxford5k")
    assert added.incomplete == [
        "2 of 5,063 items", "role query: 1 of 70 items", "role gallery: 1 of 4,993 items"
    ]  # fmt: skip
    assert read_card(catalogue / "catalog" / "roxford5k.yaml").known == "roxford5k"
    assert added.runs[0] == "roxford5k-small-roxford5k-easy"


def test_composed_queries_have_runs_and_items_without_labels(catalogue: Path) -> None:
    """Rows of Fashion IQ that share an image are items of one content."""
    with_pictures(miniatures()["fashion-iq"]).write(catalogue / "data")
    words = ["add", "fiq", "--source", "fashion-iq", "--path", "data"]
    printed = CliRunner().invoke(app, words).stdout
    assert "8 items, 0 labels, 2 findings" in printed
    assert "no runs were added" not in printed
    assert list(read_params(catalogue / "params.yaml").runs) == ["fiq-small-fashion-iq"]
    ingested = likewise.ingest("fiq")
    assert (ingested.items, ingested.images) == (8, 3)
