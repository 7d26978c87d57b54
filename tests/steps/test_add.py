"""Data sets, models and runs are added with card and entries."""

import shutil
from pathlib import Path

import pytest

import likewise
from begun_catalogue import COMMENTS, PARAMS
from likewise.errors import (
    ConfigError,
    DataError,
    MissingArtefactError,
    UnknownNameError,
)
from likewise.storage.config import EmbeddingEntry, Run, read_card, read_params


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a catalogue without data sets and git, and make it the current folder."""
    root = tmp_path / "bare"
    (root / "catalog").mkdir(parents=True)
    (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
    monkeypatch.chdir(root)
    return root


def test_add_writes_a_card_and_entries_and_keeps_comments(bare: Path, pictures: Path) -> None:
    added = likewise.add("drawn", source="gpr1200", path=pictures)
    assert (added.items, added.labels, added.findings) == (6 * 4, 6, 0)
    assert added.card == "catalog/drawn.yaml"

    card = read_card(bare / added.card)
    assert card.title == "drawn"
    assert card.source == {"kind": "gpr1200", "subsets": "none"}
    assert card.licence.spdx == "NOASSERTION"
    assert card.citation == ""

    params = read_params(bare / "params.yaml")
    assert params.datasets["drawn"].path == str(pictures)
    assert params.datasets["drawn"].annotations == str(pictures)
    assert params.embeddings == {
        f"drawn-{model}": EmbeddingEntry(dataset="drawn", model=model)
        for model in ("small", "large")
    }
    assert params.runs == {
        f"drawn-{model}-{protocol}": Run(
            dataset="drawn", model=model, index="exact", protocol=protocol
        )
        for model in ("small", "large")
        for protocol in ("gpr1200", "gpr1200-strict")
    }
    assert added.runs == list(params.runs)
    text = (bare / "params.yaml").read_text(encoding="utf-8")
    assert [line for line in COMMENTS if line not in text] == []


def test_add_names_places_in_the_workspace_from_its_root(bare: Path, pictures: Path) -> None:
    shutil.move(pictures, bare / "data")
    texts = bare / "words.json"
    texts.write_text(
        '{"0": "a", "200": "b", "400": "c", "600": "d", "800": "e", "1000": "f"}', "utf-8"
    )
    likewise.add("drawn", source="gpr1200", path=Path("data"), annotations=Path("words.json"))
    entry = read_params(bare / "params.yaml").datasets["drawn"]
    assert (entry.path, entry.annotations) == ("data", "words.json")


def test_a_benchmarks_own_name_brings_what_is_known_of_it(bare: Path, pictures: Path) -> None:
    likewise.add("gpr1200", source="gpr1200", path=pictures)
    card = read_card(bare / "catalog" / "gpr1200.yaml")
    assert card.title == "GPR1200"
    assert "Schall" in card.citation
    assert len(card.faults) == 2


def test_a_title_is_taken_as_it_is_given(bare: Path, pictures: Path) -> None:
    likewise.add("drawn", source="gpr1200", path=pictures, title="Zeichnungen: Ärzte & 1")
    assert read_card(bare / "catalog" / "drawn.yaml").title == "Zeichnungen: Ärzte & 1"


def test_data_without_labels_are_not_scored(bare: Path, pictures: Path) -> None:
    added = likewise.add("drawn", source="folder", path=pictures)
    assert (added.labels, added.runs) == (0, [])
    assert read_params(bare / "params.yaml").models_of("drawn") == ["small", "large"]


def test_a_second_data_set_joins_the_first(bare: Path, pictures: Path) -> None:
    likewise.add("one", source="gpr1200", path=pictures)
    likewise.add("two", source="gpr1200", path=pictures)
    params = read_params(bare / "params.yaml")
    assert list(params.datasets) == ["one", "two"]
    assert list(params.embeddings) == ["one-small", "one-large", "two-small", "two-large"]
    assert list(likewise.open(workspace=bare)) == ["one", "two"]


@pytest.mark.parametrize(
    ("wanted", "error", "said"),
    [
        (
            ("Drawn", "gpr1200", ""),
            DataError,
            r"^'Drawn' is not a valid name of a data set: a name consists of",
        ),
        (
            ("a_items", "gpr1200", ""),
            DataError,
            r"names that end in _items are reserved for tables",
        ),
        (("taken", "gpr1200", ""), DataError, r"^'taken' is in the catalogue; choose another"),
        (
            ("drawn", "gpr12", ""),
            UnknownNameError,
            r"kind named 'gpr12'; did you mean 'gpr1200'",
        ),
        (("drawn", "gpr1200", "none"), DataError, r"none does not exist; correct"),
        (
            ("drawn", "gpr1200", "empty"),
            DataError,
            r"empty contains no files; give the folder",
        ),
        (("drawn", "gpr1200", "odd"), DataError, r"odd: no image found; expected images/"),
    ],
)
def test_what_cannot_be_added_changes_nothing(
    bare: Path, pictures: Path, wanted: tuple[str, str, str], error: type[Exception], said: str
) -> None:
    name, source, where = wanted
    likewise.add("taken", source="gpr1200", path=pictures)
    (pictures / "empty").mkdir()
    (pictures / "odd").mkdir()
    (pictures / "odd" / "notes.txt").touch()
    before = (bare / "params.yaml").read_bytes()
    with pytest.raises(error, match=said) as caught:
        likewise.add(name, source=source, path=pictures / where)
    assert len(str(caught.value).splitlines()) == 1
    assert (bare / "params.yaml").read_bytes() == before
    assert [path.name for path in (bare / "catalog").glob("*.yaml")] == ["taken.yaml"]


def test_a_card_that_is_there_is_never_overwritten(bare: Path, pictures: Path) -> None:
    card = bare / "catalog" / "drawn.yaml"
    card.write_text("title: mine\n", encoding="utf-8")
    with pytest.raises(DataError, match="edit its card"):
        likewise.add("drawn", source="gpr1200", path=pictures)
    assert card.read_text(encoding="utf-8") == "title: mine\n"


def test_broken_params_are_reported_and_left_alone(bare: Path, pictures: Path) -> None:
    broken = PARAMS.replace("seed:", "sed:").replace("models:", "modles:")
    (bare / "params.yaml").write_text(broken, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        likewise.add("drawn", source="gpr1200", path=pictures)
    assert str(caught.value).splitlines() == [
        "params.yaml: sed: unknown key; did you mean 'seed' or 'selected' or 'mixed'?",
        "params.yaml: modles: unknown key; did you mean 'models'?",
    ]
    assert (bare / "params.yaml").read_text(encoding="utf-8") == broken


def test_there_must_be_a_catalogue(tmp_path: Path, pictures: Path) -> None:
    with pytest.raises(MissingArtefactError, match=r"^no catalogue in .*; run: likewise init$"):
        likewise.add("drawn", source="gpr1200", path=pictures, workspace=tmp_path)


def test_a_wrong_layout_names_those_that_fit(bare: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs"
    for name in ("trainA/1_1.png", "trainA/1_2.png", "trainB/1.png", "testA/2_1.png"):
        (pairs / name).parent.mkdir(parents=True, exist_ok=True)
        (pairs / name).touch()
    (pairs / "testB").mkdir()
    (pairs / "testB" / "2.png").touch()
    before = (bare / "params.yaml").read_text(encoding="utf-8")
    with pytest.raises(DataError) as error:
        likewise.add("mine", source="imagenet", path=pairs)
    assert str(error.value).startswith(f"{pairs}: no image found; expected train/")
    assert (
        "; layouts that fit: --source sketch (5 items, 0 findings), "
        "--source folder (5 items, 0 findings)"
    ) in str(error.value)
    with pytest.raises(UnknownNameError, match="no source kind named 'sketches'; did you mean"):
        likewise.add("mine", source="sketches", path=pairs)
    with pytest.raises(DataError, match=r"does not exist; correct the path"):
        likewise.add("mine", source="sketch", path=tmp_path / "nowhere")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.md").touch()
    with pytest.raises(DataError, match="no other layout fits either"):
        likewise.add("mine", source="sketch", path=tmp_path / "texts")
    assert (bare / "params.yaml").read_text(encoding="utf-8") == before
    assert not (bare / "catalog" / "mine.yaml").exists()


def test_a_home_that_the_shell_left_is_found(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "ir" / "cat").mkdir(parents=True)
    (tmp_path / "ir" / "cat" / "1.jpg").touch()
    assert likewise.add("mine", source="folder", path=Path("~/ir")).items == 1
    assert read_params(bare / "params.yaml").datasets["mine"].path == str(tmp_path / "ir")


def test_a_subset_is_an_option_of_the_card(bare: Path, tmp_path: Path) -> None:
    train = tmp_path / "data" / "train" / "n02701002"
    train.mkdir(parents=True)
    (train / "n02701002_1.JPEG").touch()
    added = likewise.add(
        "inet30",
        source="imagenet",
        path=tmp_path / "data",
        options={"subset": "imagenet30"},
    )
    assert (added.items, added.labels, added.findings) == (1, 1, 29)
    card = read_card(bare / "catalog" / "inet30.yaml")
    assert card.source == {"kind": "imagenet", "subset": "imagenet30"}
    with pytest.raises(ConfigError, match="subsett: unknown key; did you mean 'subset'"):
        likewise.add(
            "other", source="imagenet", path=tmp_path / "data", options={"subsett": "x"}
        )


@pytest.mark.parametrize("word", ["no", "auto", "yes"])
def test_text_stays_text(bare: Path, tmp_path: Path, word: str) -> None:
    # Without quotes, YAML 1.1 reads no as false, and 12:30 as a number.
    folder = tmp_path / "few" / "train"
    folder.mkdir(parents=True)
    (folder / "1.jpg").touch()
    options = {"splits": word}
    likewise.add("few", source="folder", path=folder.parent, title="12:30", options=options)
    card = read_card(bare / "catalog" / "few.yaml")
    assert (card.source["splits"], card.title) == (word, "12:30")


def test_the_catalogue_of_the_samples_is_whole() -> None:
    root = Path(__file__).parents[2]
    for name, entry in read_params(root / "params.yaml").datasets.items():
        assert (root / entry.path).is_dir()
        assert read_card(root / "catalog" / f"{name}.yaml").title
        # A stage depends on it, and DVC has no optional dependencies.
        assert (root / "catalog" / name / "corrections.csv").is_file()


def test_a_column_named_as_a_model_is_refused_when_it_is_added(
    bare: Path, pictures: Path
) -> None:
    """And when the column, or the model, comes later: before anything is embedded."""
    names = sorted(path.name for path in pictures.iterdir())
    table = pictures / "items.csv"
    table.write_text("image,small\n" + "".join(f"{name},x\n" for name in names), "utf-8")
    before = (bare / "params.yaml").read_text("utf-8")
    with pytest.raises(
        DataError, match=r"'drawings' has a column 'small', and a model of that"
    ):
        likewise.add("drawings", source="csv", path=pictures)
    assert (bare / "params.yaml").read_text("utf-8") == before
    added = likewise.add("drawings", source="csv", path=pictures, models=["large"])
    assert added.runs == []
    likewise.ingest("drawings")
    path = bare / "params.yaml"
    known = path.read_text("utf-8")
    entry = "\n  drawings-small: {dataset: drawings, model: small}"
    path.write_text(known.replace("embeddings:", f"embeddings:{entry}", 1), "utf-8")
    for verb, names in (
        (likewise.embed, ["drawings", "small"]),
        (likewise.load, ["small"]),
        (likewise.ingest, ["drawings"]),
    ):
        with pytest.raises(DataError, match="has a column 'small', and a model of that name"):
            verb(*names)
    what = [problem.what for problem in likewise.doctor() if problem.check == "params"]
    assert what[0].startswith("the data set 'drawings' has a column 'small'")


def test_models_and_protocols_are_chosen(bare: Path, pictures: Path) -> None:
    def entries(name: str) -> tuple[list[str], list[str]]:
        params = read_params(bare / "params.yaml")
        embedded = [e.model for e in params.embeddings.values() if e.dataset == name]
        return embedded, [r.protocol for r in params.runs.values() if r.dataset == name]

    likewise.add("none", source="gpr1200", path=pictures, models=[])
    assert entries("none") == ([], [])
    likewise.add("unscored", source="gpr1200", path=pictures, models=["large"], protocols=[])
    assert entries("unscored") == (["large"], [])
    likewise.add("one", source="gpr1200", path=pictures, models=["large"], protocols=["knn"])
    assert entries("one") == (["large"], ["knn"])
    with pytest.raises(UnknownNameError, match="no model named 'lagre'"):
        likewise.add("wrong", source="gpr1200", path=pictures, models=["lagre"])
    with pytest.raises(UnknownNameError, match="no protocol kind named 'kmn'"):
        likewise.add("wrong", source="gpr1200", path=pictures, protocols=["kmn"])
    likewise.ingest("none")
    assert likewise.publish("none").models == []
    assert likewise.findings("none").total == 0
    assert likewise.export("none", "csv", bare / "out").items == 24


def test_a_path_of_the_home_folder_becomes_absolute(
    bare: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC does not expand it, so ``init`` and ``add`` write it whole."""
    monkeypatch.setenv("HOME", str(pictures.parent))
    likewise.add("birds", source="gpr1200", path="~/pictures", models=[])
    path = bare / "params.yaml"
    absolute = str(pictures)
    assert read_params(path).datasets["birds"].path == absolute
    path.write_text(path.read_text("utf-8").replace(absolute, "~/pictures"), "utf-8")
    (problem,) = {p.command for p in likewise.doctor() if "~" in p.what}
    assert problem == "likewise init"
    assert likewise.ingest("birds").items == 24
    written = likewise.init(bare)
    assert "params.yaml (without ~: datasets.birds.path, datasets.birds.annotations)" in written
    assert read_params(path).datasets["birds"].annotations == absolute
    assert "# what our group works on" in path.read_text("utf-8")
