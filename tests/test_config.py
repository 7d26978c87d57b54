"""Cards and params.yaml: all faults at once, each with its place and remedy."""

from pathlib import Path

import pytest

from likewise.errors import ConfigError, DataError, UnknownNameError
from likewise.storage.config import (
    Card,
    DatasetEntry,
    Licence,
    Params,
    check_dataset_name,
    read_card,
    read_intact_params,
    read_params,
    read_yaml,
)

WHOLE = """\
seed: 7
datasets:
  birds: {path: ~/birds, annotations: ~/birds.json}
  cars: {path: cars.zip, annotations: cars.zip}
models:
  small: {kind: timm, backbone: resnet18}
  large: {kind: timm, backbone: resnet50}
embeddings:
  birds-small: {dataset: birds, model: small, dtype: float16}
  cars-small: {dataset: cars, model: small}
  birds-large: {dataset: birds, model: large}
indexes:
  exact: {kind: exact}
runs:
  birds-small-strict: {dataset: birds, model: small, index: exact, protocol: gpr1200-strict}
"""


def written(folder: Path, text: str, name: str = "params.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_params(written(folder, text))
    return str(caught.value).splitlines()


def test_params_say_what_to_make(tmp_path: Path) -> None:
    params = read_params(written(tmp_path, WHOLE))
    assert params.seed == 7
    assert params.datasets["birds"] == DatasetEntry(path="~/birds", annotations="~/birds.json")
    assert params.models_of("birds") == ["small", "large"]
    assert params.models_of("cars") == ["small"]
    assert params.embedding("birds", "large") == "birds-large"
    assert params.embeddings["birds-small"].dtype == "float16"
    assert params.embeddings["cars-small"].dtype == "float32"


def test_an_empty_file_says_to_make_nothing(tmp_path: Path) -> None:
    assert read_params(written(tmp_path, "# nothing yet\n")) == Params()


def test_params_and_cards_are_frozen(tmp_path: Path) -> None:
    params = read_params(written(tmp_path, WHOLE))
    with pytest.raises(ValueError, match="frozen"):
        params.seed = 8


def test_a_model_that_does_not_embed_a_data_set_is_unknown_there(tmp_path: Path) -> None:
    params = read_params(written(tmp_path, WHOLE))
    expected = (
        "no model named 'large' in the embeddings of cars in params.yaml; there are: small"
    )
    with pytest.raises(UnknownNameError, match=f"^{expected}$"):
        params.embedding("cars", "large")


def test_all_typos_come_at_once_with_what_was_meant(tmp_path: Path) -> None:
    text = WHOLE.replace("seed:", "sed:").replace("dtype: float16", "dtipe: float16")
    assert faults(tmp_path, text) == [
        (
            "params.yaml: embeddings.birds-small.dtipe: unknown key; "
            "did you mean 'dtype' or 'dataset'?"
        ),
        "params.yaml: sed: unknown key; did you mean 'seed' or 'selected' or 'mixed'?",
    ]


@pytest.mark.parametrize("name", ["width", "label", "sha256", "items", "findings", "images"])
def test_a_model_named_as_a_column_or_table_is_refused(tmp_path: Path, name: str) -> None:
    (fault,) = faults(tmp_path, WHOLE.replace("large", name))
    assert fault.startswith(
        f"params.yaml: models.{name}: every catalogue has a column or table"
    )


def test_a_section_that_was_emptied_says_how_to_write_it(tmp_path: Path) -> None:
    assert faults(tmp_path, "datasets:\nmodels: {}\nruns:\n") == [
        "params.yaml: datasets: it is empty; write {} for none",
        "params.yaml: runs: it is empty; write {} for none",
    ]


def test_all_wrong_references_come_at_once(tmp_path: Path) -> None:
    text = WHOLE.replace(
        "dataset: birds, model: small, index: exact, protocol",
        "dataset: bird, model: smal, index: exakt, protocol",
    ).replace("{dataset: cars, model: small}", "{dataset: birds, model: small}")
    assert faults(tmp_path, text) == [
        (
            "params.yaml: embeddings.cars-small: embeds the same data set by the same model as "
            "'birds-small'"
        ),
        (
            "params.yaml: runs.birds-small-strict.dataset: no such name 'bird'; "
            "did you mean 'birds'?"
        ),
        (
            "params.yaml: runs.birds-small-strict.model: no such name 'smal'; "
            "did you mean 'small'?"
        ),
        (
            "params.yaml: runs.birds-small-strict.index: no such name 'exakt'; "
            "did you mean 'exact'?"
        ),
    ]


def test_entries_that_refer_to_a_broken_one_are_broken_and_no_others(tmp_path: Path) -> None:
    text = WHOLE.replace("  cars: {path: cars.zip, annotations", "  cars: {path: 3, annotation")
    params = read_intact_params(written(tmp_path, text))
    assert list(params.datasets) == ["birds"]
    assert list(params.embeddings) == ["birds-small", "birds-large"]
    assert list(params.runs) == ["birds-small-strict"]
    assert [(entry.section, entry.name, entry.own) for entry in params.broken] == [
        ("datasets", "cars", True),
        ("embeddings", "cars-small", False),
    ]
    assert params.broken[1].faults == (
        "params.yaml: embeddings.cars-small: it refers to datasets.cars, which is broken",
    )
    with pytest.raises(ConfigError, match=r"datasets\.cars\.path: Input should be a valid str"):
        params.refuse_broken("cars", ("datasets",))
    params.refuse_broken_of("birds", "embeddings")
    with pytest.raises(ConfigError, match="cars-small"):
        params.refuse_broken_of("cars", "embeddings")


@pytest.mark.parametrize(
    ("good", "bad", "broken"),
    [
        ("models:\n  small: {kind", "models:\n  width: {kind", {"width", "birds-small"}),
        ("exact: {kind: exact}", "exact: exact", {"exact", "birds-small-strict"}),
        (
            "model: small, dtype: float16",
            "modell: small",
            {"birds-small", "birds-small-strict"},
        ),
        ("model: small, index", "model: small, indx", {"birds-small-strict"}),
    ],
)
def test_every_kind_of_entry_can_be_broken(
    tmp_path: Path, good: str, bad: str, broken: set[str]
) -> None:
    params = read_intact_params(written(tmp_path, WHOLE.replace(good, bad)))
    assert broken <= {entry.name for entry in params.broken}
    assert set(params.datasets) == {"birds", "cars"}
    assert "large" in params.models
    assert "birds-large" in params.embeddings


@pytest.mark.parametrize("text", ["sed: 3\n", "datasets: []\n", "seed: x\n", "- a\n"])
def test_a_fault_outside_the_entries_stops_everything(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        read_intact_params(written(tmp_path, text))


def test_a_run_needs_its_vectors(tmp_path: Path) -> None:
    text = (
        WHOLE + "  cars-large: {dataset: cars, model: large, index: exact, protocol: gpr1200}\n"
    )
    [fault] = faults(tmp_path, text)
    assert fault == (
        "params.yaml: runs.cars-large: no entry of 'embeddings' or 'imported' says that "
        "'large' embeds 'cars'"
    )


@pytest.mark.parametrize(
    ("good", "bad", "place"),
    [
        ("  birds: {path", "  Birds: {path", "datasets.Birds"),
        ("  large: {kind", "  lar-ge: {kind", "models.lar-ge"),
        ("  exact: {kind", "  1exact: {kind", "indexes.1exact"),
        ("  cars-small: {", "  cars small: {", "embeddings.cars small"),
        ("  birds-small-strict: {", "  ../birds: {", "runs.../birds"),
    ],
)
def test_a_bad_name_is_reported(tmp_path: Path, good: str, bad: str, place: str) -> None:
    found = faults(tmp_path, WHOLE.replace(good, bad))
    assert found[0].startswith(
        f"params.yaml: {place}: a name consists of lower-case letters, digits"
    )


@pytest.mark.parametrize("name", ["x_images", "x_items", "x_findings"])
def test_names_of_tables_are_kept(tmp_path: Path, name: str) -> None:
    text = f"datasets: {{{name}: {{path: x, annotations: x}}}}"
    ending = name.removeprefix("x")
    expected = f"names that end in {ending} are reserved for tables"
    assert faults(tmp_path, text) == [f"params.yaml: datasets.{name}: {expected}"]
    with pytest.raises(
        DataError, match=f"^'{name}' is not a valid name of a data set: {expected}$"
    ):
        check_dataset_name(name)


@pytest.mark.parametrize("name", ["birds", "b2", "cub_200_2011", "items", "a_image"])
def test_good_names_pass(name: str) -> None:
    check_dataset_name(name)


@pytest.mark.parametrize("name", ["", "2b", "Birds", "a b", "a-b", "é", "../a", "a\n"])
def test_bad_names_do_not(name: str) -> None:
    with pytest.raises(
        DataError, match="is not a valid name of a data set: a name consists of lower-case"
    ):
        check_dataset_name(name)


def test_a_card_says_what_a_data_set_is(tmp_path: Path) -> None:
    text = "title: Birds\nsource: {kind: folder}\nlicence: {spdx: MIT}\nfaults: [two eagles]\n"
    assert read_card(written(tmp_path, text, "birds.yaml")) == Card(
        title="Birds",
        source={"kind": "folder"},
        licence=Licence(spdx="MIT"),
        faults=("two eagles",),
    )


def test_all_faults_of_a_card_come_at_once(tmp_path: Path) -> None:
    card = written(tmp_path, "titel: Birds\nlicence: {spxd: MIT}\n", "birds.yaml")
    with pytest.raises(ConfigError) as caught:
        read_card(card)
    assert str(caught.value).splitlines() == [
        "birds.yaml: title: Field required",
        "birds.yaml: source: Field required",
        "birds.yaml: licence.spxd: unknown key; did you mean 'spdx'?",
        "birds.yaml: titel: unknown key; did you mean 'title'?",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"seed: [1\nmodels: {}\n", r"^params\.yaml: .*line 2"),
        (b"seed: 1\n\xff\xfe\n", r"^params\.yaml: .*utf-8"),
        (b"- a\n- b\n", r"^params\.yaml: "),
        (b"seed: 1\nseed: 2\n", r"^params\.yaml: .*'seed' is repeated .*line 2"),
    ],
)
def test_what_is_not_params_is_one_error(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=said) as caught:
        read_params(path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_key_that_is_repeated_is_refused(tmp_path: Path) -> None:
    text = "models:\n  a: {kind: timm, backbone: x}\n  a: {kind: timm, backbone: y}\n"
    with pytest.raises(ConfigError, match=r"params\.yaml: .*'a' is repeated .*line 3"):
        read_yaml(written(tmp_path, text))


def test_yaml_makes_no_objects(tmp_path: Path) -> None:
    path = written(tmp_path, "seed: !!python/object/apply:os.getpid []\n")
    with pytest.raises(ConfigError, match=r"^params\.yaml"):
        read_params(path)


def test_memory_is_a_number_of_bytes_with_a_unit(tmp_path: Path) -> None:
    assert read_params(written(tmp_path, WHOLE)).memory == 4_000_000_000
    assert read_params(written(tmp_path, "memory: 16GB\n")).memory == 16_000_000_000
    assert read_params(written(tmp_path, "memory: 3000000000\n")).memory == 3_000_000_000
    for wrong in ("1GB", "much", "-1"):
        with pytest.raises(ConfigError, match=r"params.yaml: memory: "):
            read_params(written(tmp_path, f"memory: {wrong}\n"))
