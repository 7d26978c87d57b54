"""Only one module knows the paths of a catalogue."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import likewise
from likewise.errors import DataError
from likewise.storage import workspace
from likewise.storage.workspace import VERSIONED, Workspace

SOURCE = Path(__file__).parents[1] / "src" / "likewise"

NAMES = {
    *VERSIONED,
    ".dvc", ".gitattributes", ".gitignore", ".likewise", ".pixels", "clones", "columns",
    "commits", "corrections.csv", "croissant.json", "embeddings", "flags.yaml",
    "forgotten.csv", "forgetting", "indexes", "locks", "made.json", "parts", "revisions",
    "reviews.csv", "schemas", "selections", "staging", "stamps", "tags.csv", "training",
    "trainings", "trash", "tuning", "views",
}  # fmt: skip
"""Names of files and folders of a catalogue."""

EXPORTS = {"exports/croissant.py": {"croissant.json"}}
"""Modules that write files with these names outside a catalogue."""


def joined(path: Path) -> Iterator[str]:
    """Yield the parts of texts that ``path`` joins with ``/``, and of glob patterns."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            parts: list[ast.AST] = [node.right]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = node.func.attr
            parts = list(node.args) if called in ("glob", "startswith", "endswith") else []
        else:
            parts = []
        for part in parts:
            for leaf in ast.walk(part):
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str):
                    yield from leaf.value.split("/")


def test_no_other_module_spells_a_path() -> None:
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        module = path.relative_to(SOURCE).as_posix()
        spelled = NAMES & set(joined(path)) - EXPORTS.get(module, set())
        if spelled and path.parent.name != "workspace":
            found[module] = spelled
    assert not found


def test_the_layout_of_a_catalogue(tmp_path: Path) -> None:
    """These paths are in people's histories and scripts."""
    (tmp_path / "params.yaml").write_text(
        "datasets: {birds: {path: b, annotations: b}}\n"
        "checks: {birds: {}}\nviews: {clean: {of: birds, without: [leak]}}\n",
        "utf-8",
    )
    ws = Workspace(tmp_path)
    assert [
        ws.relative(path)
        for path in (
            ws.card_file("birds"), ws.corrections("birds"), ws.forgotten("birds"),
            ws.tags("birds"), ws.reviews("birds"), ws.selection("birds", "hard"),
            ws.table("birds", "images"), ws.table("clean", "items"),
            ws.embeddings("birds", "vit"), ws.digests("birds", "items"),
            ws.pixel_digests("birds"), ws.flag_digests("birds"), ws.published("birds"),
            ws.published_digests("birds"), ws.model("vit"), *ws.training_files("vit"),
            ws.metrics("r"), ws.lineage("r"), ws.statistics("r"), ws.queries("r"),
            ws.index("birds", "vit", "ivf"), ws.staging("ingest-birds"), ws.lock, ws.pipeline,
        )
    ] == [
        "catalog/birds.yaml", "catalog/birds/corrections.csv", "catalog/birds/forgotten.csv",
        "catalog/birds/tags.csv", "catalog/birds/reviews.csv",
        "catalog/birds/selections/hard.csv",
        "catalog/birds/images.lance", "catalog/birds/items.lance",
        "catalog/birds/embeddings/vit.lance", "catalog/birds/columns/items.yaml",
        "catalog/.pixels/birds.yaml", "catalog/birds/flags.yaml", "catalog/birds.lance",
        "catalog/birds.columns.yaml", "models/vit", "reports/training/vit/made.json",
        "reports/training/vit/metrics.json", "reports/training/vit/plots",
        "reports/r.json", "reports/r.lineage.json", "reports/r.statistics.json",
        "reports/r.parquet", ".likewise/indexes/birds/vit/ivf",
        ".likewise/staging/ingest-birds", "dvc.lock", "dvc.yaml",
    ]  # fmt: skip


def test_what_is_there_is_found(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(
        "datasets: {birds: {path: b, annotations: b}}\n", "utf-8"
    )
    ws = Workspace(tmp_path)
    folders = (ws.published("birds"), ws.embeddings("birds", "vit"), ws.model("vit"))
    files = (ws.card_file("birds"), ws.digests("birds", "vit"), ws.metrics("r"))
    for folder in (*folders, ws.tables("gone"), ws.catalog / ".hidden"):
        folder.mkdir(parents=True)
    for path in (*files, ws.published_digests("birds"), ws.queries("r")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert list(ws.existing_outputs()) == [
        ws.published("birds"), ws.published_digests("birds"), ws.embeddings("birds", "vit"),
        ws.digests("birds", "vit"), ws.tables("gone"), ws.metrics("r"), ws.queries("r"),
        ws.model("vit"),
    ]  # fmt: skip
    assert ws.cards == [ws.card_file("birds")]
    assert workspace.subfolders(ws.catalog) == [
        ws.tables("birds"),
        ws.published("birds"),
        ws.tables("gone"),
    ]


@pytest.mark.parametrize("place", ["s3://lab/catalogue", Path("gs:/lab/catalogue")])
def test_a_catalogue_cannot_be_in_object_storage(place: str | Path) -> None:
    for verb in (likewise.push, likewise.pull, likewise.doctor, likewise.status):
        with pytest.raises(
            DataError, match=r"//lab/catalogue: the tables of a catalogue cannot"
        ):
            verb(workspace=place)
