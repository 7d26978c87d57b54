"""The kinds of every family are data: name, sentence, options, formula and source."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import likewise
from html_tags import tags
from likewise.cli.app import app
from likewise.evaluation.metrics import METRICS, measure
from likewise.evaluation.protocols import PROTOCOLS
from likewise.models.recipes import RECIPES

FAMILIES = (
    *(
        "sources",
        "recipes",
        "indexes",
        "rerankers",
        "metrics",
        "protocols",
        "exports",
        "transforms",
    ),
    "engines",
    "sections",
)


def test_the_families_and_their_numbers() -> None:
    families = likewise.kinds()
    assert tuple(family.name for family in families) == FAMILIES
    assert {f.name: f.kinds for f in families} == {
        name: likewise.kinds(name).names for name in FAMILIES
    }
    assert f"protocols    {len(PROTOCOLS.kinds())}  Definitions" in repr(families)
    assert "linear-probe" in families._repr_html_()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_kind_has_one_sentence_and_described_options(family: str) -> None:
    listed = likewise.kinds(family)
    assert listed.names == sorted(listed.names)
    for kind in listed:
        assert kind.summary.endswith("."), kind
        assert "``" not in kind.summary
        assert "\n" not in kind.summary
        assert len({option.name for option in kind.options}) == len(kind.options)
        for option in kind.options:
            assert option.type, (kind.name, option)
    assert listed.names[0] in repr(listed)
    assert "script" not in {tag for tag, _ in tags(listed._repr_html_())}


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_has_a_formula_and_its_source(name: str) -> None:
    metric = likewise.kinds("metrics")[name]
    assert metric.formula
    assert metric.source
    assert [o.required for o in metric.options] == {
        "needed": [True],
        "possible": [False],
        "none": [],
    }[METRICS[name].rank]


def test_a_protocol_has_its_settings_and_the_formula_of_its_metric() -> None:
    script = likewise.kinds("protocols")["gpr1200"]
    assert script.settings == PROTOCOLS.load("gpr1200")().describe()
    assert script.formula == f"mean over queries of {METRICS['ap-hits'].formula}"
    assert "arXiv:2111.13122" in script.source
    assert likewise.kinds("protocols")["compcars-mips"].formula.endswith(", k = 20")
    assert "arXiv:1803.11285" in likewise.kinds("protocols")["roxford5k-hard"].source
    assert all(kind.formula for kind in likewise.kinds("protocols"))


def test_options_have_type_default_range_and_description() -> None:
    options = {option.name: option for option in likewise.kinds("recipes")["metric"].options}
    assert set(RECIPES.load("metric").model_fields) - set(options) == {"augment"}
    assert options["init"].required
    assert (options["lr"].type, options["lr"].default, options["lr"].range) == (
        "float",
        3e-4,
        "> 0",
    )
    assert options["lr"].description == "maximum learning rate."
    assert options["crop_pct"].range == "> 0, <= 1"
    assert options["optimiser"].type == "adamw | adam | sgd"
    assert options["augment.flip"].default == 0
    assert options["augment.flip"].description == "probability of a horizontal flip."
    letterbox = {
        option.name: option for option in likewise.kinds("transforms")["letterbox"].options
    }
    assert letterbox["side"].description == "Edge length of the square in pixels."


@pytest.mark.parametrize(
    ("ask", "near"),
    [
        (lambda: likewise.kinds("protocol"), "protocols"),
        (lambda: likewise.kinds("protocols")["gpr120"], "gpr1200"),
        (lambda: PROTOCOLS.load("knnn"), "knn"),
        (lambda: RECIPES.build({"kind": "mteric"}, "here"), "metric"),
        (lambda: measure("recal@1", None), "recall@1"),  # type: ignore[arg-type]
    ],
)
def test_an_unknown_name_lists_all_names_and_the_nearest(ask: object, near: str) -> None:
    with pytest.raises(likewise.UnknownNameError) as error:
        ask()  # type: ignore[operator]
    suggestion, _, names = str(error.value).partition("there are: ")
    assert f"{near!r}" in suggestion
    assert near in names.split(", ")


def test_an_unknown_format_of_an_export_lists_all(workspace: Path) -> None:
    with pytest.raises(likewise.UnknownNameError, match=r"'coco'.* there are: coco, .*, yolo"):
        likewise.export("emoji", "cocco", "out")


FOREIGN = '''
"""A kind whose module must never run."""
from typing import ClassVar
from likewise.imaging.transforms.base import Transform
raise SystemExit("this module was imported")

class Blur(Transform):
    """Blur an image. It needs no other library.

    Source: Smith, Blurs, 1999.
    """

    radius: float = 2.0
    """Radius in pixels."""
    sides: tuple[int, ...] = (1, 2)
    sigma: float
    hidden: ClassVar[int] = 3
'''


def foreign(folder: Path, lines: str) -> None:
    """Lay a package into ``folder`` that registers transforms, as an installation does."""
    info = folder / "blurs-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: blurs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[likewise.transforms]\n{lines}\n")
    for module in ("__init__", "soft", "broken"):
        (folder / "blurs").mkdir(exist_ok=True)
        text = "def (" if module == "broken" else FOREIGN
        (folder / "blurs" / f"{module}.py").write_text(text, encoding="utf-8")


def test_kinds_of_another_package_are_described_and_never_imported(tmp_path: Path) -> None:
    foreign(
        tmp_path,
        "blur = blurs.soft:Blur\nbroken = blurs.broken:B\ngone = blurs.gone:B\n"
        "nowhere = no_such_package.x:B\ncrop = blurs.soft:Blur",
    )
    # ``python -m`` puts the current folder first on the path, so a folder can hold a package.
    command = [sys.executable, "-m", "likewise", "kinds", "transforms", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    listed = {kind["name"]: kind for kind in json.loads(done.stdout)}
    blur = listed["blur"]
    assert (blur["summary"], blur["package"]) == ("Blur an image.", "blurs")
    assert blur["source"] == "Smith, Blurs, 1999"
    assert [(o["name"], o["type"], o["default"], o["required"]) for o in blur["options"]] == [
        ("radius", "float", 2.0, False),
        ("sides", "tuple[int, ...]", [1, 2], False),
        ("sigma", "float", None, True),
    ]
    assert blur["options"][0]["description"] == "Radius in pixels."
    for name in ("broken", "gone", "nowhere"):
        assert listed[name]["summary"].endswith("of the package blurs.")
    assert (
        listed["crop"]["summary"] == "Registered by blurs and likewise; uninstall one of them."
    )
    assert listed["letterbox"]["package"] == "likewise"


def test_the_command_lists_families_kinds_and_one_kind() -> None:
    run = CliRunner()
    families = run.invoke(app, ["kinds"]).stdout.splitlines()
    assert [line.split()[0] for line in families[1:]] == list(FAMILIES)
    assert run.invoke(app, ["kinds", "metrics"]).stdout.splitlines()[1].startswith("acc ")
    one = run.invoke(app, ["kinds", "indexes", "faiss"]).stdout
    assert "number of cells that are searched (IVF)." in one
    assert [f["name"] for f in json.loads(run.invoke(app, ["kinds", "--json"]).stdout)] == list(
        FAMILIES
    )
    exact = json.loads(run.invoke(app, ["kinds", "indexes", "exact", "--json"]).stdout)
    assert exact["options"][0]["type"] == "dot | cosine | l2"
