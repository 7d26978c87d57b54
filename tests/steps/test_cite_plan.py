"""Citations state only recorded facts; plans have measured rates."""

import json
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import likewise
from likewise.catalogue.catalogue import open_workspace
from likewise.cli.app import app
from likewise.errors import MissingArtefactError, VersionError
from likewise.steps.plan import _rate
from likewise.storage import artefacts, timings
from synthetic_reports import values_of, write_catalogue

TITLE = "50 % of \\input{x} & $y_1$"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One run without a model, and a card with a hostile title."""
    root = write_catalogue(tmp_path / "catalogue", {("birds", "a"): values_of(0.0, 1)})
    card = {"title": TITLE, "source": {"kind": "folder"}, "citation": "A. Author, Birds {2020}"}
    (root / "catalog" / "birds.yaml").write_text(yaml.safe_dump(card))
    monkeypatch.chdir(root)
    return root


def test_a_citation_states_only_what_is_recorded(root: Path) -> None:
    citation = likewise.cite("birds-a")
    report = json.loads((root / "reports" / "birds-a.json").read_text())
    statistics = json.loads((root / "reports" / "birds-a.statistics.json").read_text())
    (number,) = citation.numbers
    assert (number.metric, number.value) == ("mAP", report["mAP"])
    assert number.low == statistics["intervals"]["mAP"]["low"]
    assert f"We evaluate a (64 dimensions) on {TITLE} (48 items, 48 queries" in citation.methods
    assert "the protocol leave-one-out, version 1." in citation.methods
    assert "None" not in citation.methods + citation.bibtex
    absent = [line.partition(":")[0] for line in citation.missing]
    assert absent[:6] == [
        "address of the data set",
        "licence of the data set",
        "origin of the weights",
        "preprocessing of images",
        "publication of the model",
        "training data of the weights",
    ]
    assert "Likewise" not in citation.methods  # the passport has no version


def test_a_citation_escapes_titles(root: Path) -> None:
    citation = likewise.cite("birds-a")
    assert r"title = {50 \% of \textbackslash{}input\{x\} \& \$y\_1\$}," in citation.bibtex
    assert r"note = {A. Author, Birds \{2020\}}," in citation.bibtex
    keys = re.findall(r"^@misc\{(.*),$", citation.bibtex, re.MULTILINE)
    assert keys == ["data-birds", "model-a", "protocol-leave-one-out"]
    text = citation.to_latex()
    assert r"\input{" not in text
    assert r"~\cite{data-birds,model-a,protocol-leave-one-out}." in text
    assert citation.bibtex.count("  key = {") == len(keys)
    plain = re.sub(r"\\[{}]", "", text + citation.bibtex)
    assert plain.count("{") == plain.count("}")


def test_the_source_of_every_protocol_suits_a_bibliography() -> None:
    sources = {kind.name: kind.source for kind in likewise.kinds("protocols")}
    assert not [name for name, source in sources.items() if not source]
    assert not [source for source in sources.values() if "as of" in source]


def _change(path: Path, **parts: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **parts}))


def test_a_citation_names_the_reranker_and_the_value_without_it(root: Path) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text())
    run = {**params["runs"]["birds-a"], "rerank": {"kind": "dba", "k": 5}}
    (root / "params.yaml").write_text(yaml.safe_dump({**params, "runs": {"birds-a": run}}))
    _change(root / "reports" / "birds-a.lineage.json", run=run)
    difference = {"value": 0.1, "low": 0.0, "high": 0.2, "p": 0.03}
    compared = {"metric": "mAP", "first": 0.25, "second": 0.35, "p_holm": None}
    _change(
        root / "reports" / "birds-a.statistics.json",
        reranking={
            "reranker": {"kind": "dba", "top": 400, "k": 5, "alpha": 3.0},
            "metrics": [{**compared, "difference": difference}],
        },
    )
    citation = likewise.cite("birds-a")
    stated = "re-ranked by dba (top 400, k 5, alpha 3); without it, mAP is 0.2500."
    assert stated in citation.methods
    (paper,) = re.findall(r"@misc\{reranker-dba,\n.*\n  note = \{(.*)\}", citation.bibtex)
    assert paper.startswith("Arandjelovic, Zisserman, Three things")
    assert r"protocol-leave-one-out,reranker-dba}" in citation.to_latex()


def test_a_citation_names_the_recipe_and_data_of_a_trained_model(root: Path) -> None:
    recipe = {"kind": "metric", "init": "b", "data": ["birds", "cars"], "split": "train"}
    options = {"loss": "arcface", "epochs": 20, "lr": 0.0003, "optimiser": None}
    _change(root / "reports" / "birds-a.lineage.json", model={"recipe": recipe | options})
    sentence = "trained from b by the recipe metric on the split train of birds and cars: "
    assert f"{sentence}loss arcface, epochs 20, lr 0.0003." in likewise.cite("birds-a").methods


def test_a_report_that_is_not_there(root: Path) -> None:
    (root / "reports" / "birds-a.json").unlink()
    with pytest.raises(MissingArtefactError, match="dvc repro evaluate@birds-a"):
        likewise.cite("birds-a")


def test_the_command_cite(root: Path) -> None:
    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["cite", "birds-a", *words])
        assert done.exit_code == code, done.output
        return done.output

    printed = run()
    assert "@misc{data-birds," in printed
    assert "missing: licence of the data set: the card of birds has no licence" in printed
    assert json.loads(run("--json"))["numbers"][0]["metric"] == "mAP"
    assert r"\toprule" in run("--latex")
    run("--json", "--latex", code=2)


@pytest.mark.dvc
@pytest.mark.torch
def test_a_plan_has_changed_stages_and_those_that_follow(recorded: Path) -> None:
    assert likewise.plan().stages == []
    ws = open_workspace(recorded)
    timings.record(ws, "evaluate-emoji-tiny", timings.Timing(24, 12.0))
    timings.record(ws, "publish-emoji", timings.Timing(48, 12.0))
    likewise.correct("emoji", ["0_noto.jpg"], {"label": "200"})
    planned = likewise.plan()
    assert [(one.stage, one.certain) for one in planned.stages] == [
        ("publish@emoji", True),
        ("evaluate@emoji-tiny", False),
    ]
    publish, evaluate = planned.stages
    assert publish.reason == "catalog/emoji/corrections.csv"
    assert evaluate.reason == "publish@emoji"
    assert (publish.units, publish.seconds, publish.basis) == (
        24,
        24 / (48 / 12),
        "publish-emoji",
    )
    assert evaluate.seconds == 24 / (24 / 12)
    assert publish.nbytes
    assert planned.seconds == 6 + 12
    assert planned.unknown == 0
    done = CliRunner().invoke(app, ["plan"])
    assert done.exit_code == 0, done.output
    assert "if needed" in done.output
    assert json.loads(CliRunner().invoke(app, ["plan", "--json"]).output)["unknown"] == 0
    (recorded / ".likewise" / "timings" / "publish-emoji.json").write_text("{}")
    assert likewise.plan().unknown == 1
    assert "1 stage without a measured rate" in likewise.plan()._repr_html_()
    assert "unknown" in CliRunner().invoke(app, ["plan"]).output


@pytest.mark.dvc
@pytest.mark.torch
def test_a_plan_of_a_read_only_checkout_names_the_file(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", ".dvc/tmp/lock")

    monkeypatch.setattr("dvc.repo.lock_repo", refuse)
    with pytest.raises(
        VersionError, match=r"status failed: .dvc/tmp/lock: Permission denied; "
    ):
        likewise.plan()


def test_rates_are_those_of_stages_that_do_the_same(root: Path) -> None:
    """A re-ranked run, a map and an adapter have no rate of a search, PCA or pixels."""
    params = yaml.safe_load((root / "params.yaml").read_text())
    plain = params["runs"]["birds-a"]
    params["runs"] |= {
        name: {**plain, "rerank": {"kind": kind}}
        for name, kind in {"near": "dba", "far": "dba", "local": "local"}.items()
    }
    params["adapted"] = {
        name: {"kind": "adapter", "init": "a", "data": "birds"} for name in ("fit", "fitter")
    }
    params["embeddings"] |= {
        f"birds-{name}": {"dataset": "birds", "model": name} for name in ("fit", "fitter")
    }
    params["maps"] = {
        name: {"dataset": "birds", "model": "a", "method": name.split("-")[0]}
        for name in ("pca-1", "pca-2", "tsne-1")
    }
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    ws = open_workspace(root)
    stages = {str(stage): stage for stage in artefacts.stages(ws)}

    def basis(name: str) -> str:
        return _rate(ws, stages[name])[1]

    for job in ("evaluate-birds-a", "map-pca-1", "embed-birds-a"):
        timings.record(ws, job, timings.Timing(10, 1.0))
    assert basis("evaluate@near") == basis("evaluate@local") == basis("map@tsne-1") == ""
    assert basis("map@pca-2") == "map-pca-1"
    assert basis("embed@birds-fit") == "embed-birds-a"  # at most
    timings.record(ws, "evaluate-far", timings.Timing(10, 1.0))
    timings.record(ws, timings.stored_job("embed-birds-fitter"), timings.Timing(10, 1.0))
    assert basis("evaluate@near") == "evaluate-far"
    assert basis("evaluate@local") == ""
    assert basis("embed@birds-fit") == "embed-birds-fitter-stored"
    assert basis("embed@birds-a") == "embed-birds-a"


def test_a_plan_needs_a_pipeline(root: Path) -> None:
    with pytest.raises(MissingArtefactError, match="likewise init"):
        likewise.plan()


def test_timings_are_kept_for_this_checkout_only(root: Path) -> None:
    ws = open_workspace(root)
    for number in range(timings.KEPT + 2):
        timings.record(ws, "job", timings.Timing(number + 1, 1.0))
    kept = timings.read(ws, "job")
    assert [one.units for one in kept] == list(range(3, timings.KEPT + 3))
    path = ws.timing("job")
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "timings": '[{"units": 1, "seconds": 1}]'}))
    assert timings.read(ws, "job") == []
    with timings.measured(ws, "none"):
        pass
    assert not ws.timing("none").exists()
