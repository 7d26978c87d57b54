"""Maps: places of contents by PCA, t-SNE and UMAP, as a table and as figures."""

import itertools
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
import pytest

import likewise
from forked import run_dvc
from learning import write
from likewise.catalogue.catalogue import open_workspace
from likewise.errors import BrokenEntryWarning, DataError, UnknownNameError
from likewise.formats.array_types import Float32Array
from likewise.formats.vector_blocks import VectorBlocks
from likewise.pages.item_map import Panel, map_figure, meaning
from likewise.pages.map_colours import MOST_COLOURS, colouring, in_words, natural
from likewise.pages.svg import BLUE, SOFT
from likewise.retrieval.projections import ProjectionOptions, project
from likewise.retrieval.projections.graph import neighbour_graph
from likewise.storage import tables, timings

MAP: dict[str, Any] = {"dataset": "emoji", "model": "tiny"}


def clusters(count: int = 30) -> tuple[Float32Array, np.ndarray]:
    """Return four clusters of vectors of length 1, and the number of each one's cluster."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), count)
    vectors = random.normal(size=(4, 16))[labels] + 0.2 * random.normal(size=(4 * count, 16))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float32), labels


def places(vectors: Float32Array, order: np.ndarray, **options: Any) -> Float32Array:
    return project(VectorBlocks.from_array(vectors), order, ProjectionOptions(**options)).places


def same_cluster(points: Float32Array, labels: np.ndarray) -> float:
    """Return the share of points whose nearest other point is of their cluster."""
    distances = ((points[:, None] - points[None]) ** 2).sum(axis=-1)
    np.fill_diagonal(distances, np.inf)
    return float((labels[distances.argmin(axis=1)] == labels).mean())


def test_principal_components_by_hand() -> None:
    # Variances along the axes: 8, 2 and 0; the mean is (1, 1, 1).
    vectors = np.array([[5, 1, 1], [-3, 1, 1], [1, 3, 1], [1, -1, 1]], np.float32)
    found = places(vectors, np.arange(4))
    np.testing.assert_allclose(found, [[4, 0], [-4, 0], [0, 2], [0, -2]], atol=1e-6)


def test_the_graph_has_the_nearest_others_and_each_vector_itself() -> None:
    angles = np.radians([0, 10, 30, 90, 90])  # the last two are equal
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    rows, distances = neighbour_graph(vectors, 2)
    assert rows.tolist() == [[0, 1, 2], [1, 0, 2], [2, 1, 0], [3, 4, 2], [4, 3, 2]]
    chords = 2 * np.sin(np.radians([[10, 30], [10, 20], [20, 30], [0, 60], [0, 60]]) / 2)
    np.testing.assert_allclose(distances[:, 1:], chords, atol=1e-3)
    assert distances[:, 0].tolist() == [0] * 5


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_places_depend_neither_on_the_order_of_rows_nor_on_threads(
    method: str, several_threads: None
) -> None:
    vectors, labels = clusters()
    found = places(vectors, np.arange(len(vectors)), method=method, neighbours=20)
    assert same_cluster(found, labels) == 1
    moved = np.random.default_rng(1).permutation(len(vectors))
    again = places(vectors[moved], np.argsort(moved), method=method, neighbours=20)
    np.testing.assert_array_equal(again[np.argsort(moved)], found)


def test_vectors_outside_the_sample_are_placed_between_their_neighbours() -> None:
    vectors, labels = clusters()
    blocks, order = VectorBlocks.from_array(vectors), np.arange(len(vectors))
    options: dict[str, Any] = {"method": "tsne", "sample": 60, "neighbours": 15}
    whole = project(blocks, order, ProjectionOptions(**options))
    assert (int(whole.fitted.sum()), same_cluster(whole.places, labels)) == (60, 1)
    nearest = np.argsort(-(vectors[~whole.fitted][:1] @ vectors[whole.fitted].T)[0])[:5]
    expected = np.median(whole.places[whole.fitted][nearest], axis=0)
    np.testing.assert_allclose(whole.places[~whole.fitted][0], expected, rtol=1e-6)
    left = project(blocks, order, ProjectionOptions(**options, place_rest=False))
    np.testing.assert_array_equal(np.isnan(left.places[:, 0]), ~left.fitted)


@pytest.mark.slow  # numba compiles umap-learn for half a minute
def test_umap_keeps_clusters() -> None:
    vectors, labels = clusters()
    order = np.arange(len(vectors))
    found = places(vectors, order, method="umap", neighbours=10, sample=90)
    assert same_cluster(found, labels) == 1
    np.testing.assert_array_equal(
        places(vectors, order, method="umap", neighbours=10, sample=90), found
    )


@pytest.mark.slow
@pytest.mark.parametrize("distinct", [1, 2])
def test_umap_places_equal_vectors_and_those_on_a_line(distinct: int) -> None:
    vectors = np.eye(3, dtype=np.float32)[np.arange(20) % distinct]
    assert np.isfinite(places(vectors, np.arange(20), method="umap", neighbours=5)).all()


def test_a_map_is_a_table(workspace: Path, tmp_path: Path) -> None:
    write(workspace, "maps", "emoji-plane", {**MAP, "sample": 10, "method": "tsne"})
    made = likewise.map("emoji-plane", workspace=workspace)
    assert (made.contents, made.fitted, made.placed, made.left_out) == (24, 10, 14, 0)
    table = workspace / "catalog/emoji/maps/emoji-plane.lance"
    first = table.with_suffix(".yaml").read_bytes()
    likewise.map("emoji-plane", workspace=workspace)
    measured = timings.read(open_workspace(workspace), "map-emoji-plane")
    assert [one.units for one in measured] == [24, 24]
    assert table.with_suffix(".yaml").read_bytes() == first
    stored = tables.open_table(table).read(["content", "x", "y", "fitted"])
    sql = "select content, x, y, fitted from map_emoji_plane order by content"
    assert likewise.query(sql, workspace=workspace).frame.equals(stored)
    drawn = likewise.plot_map(
        "emoji-plane", by="label", html=tmp_path / "map.html", svg=tmp_path / "map.svg"
    )
    assert drawn.columns == ["map", "item_id", "x", "y", "fitted", "label"]
    assert len(drawn) == 24
    page = (tmp_path / "map.html").read_text("utf-8")
    assert "24 of 24 items. 14 of them are placed between" in page
    assert "near points have similar vectors" in page
    assert "gaps and sizes of groups mean little" in page
    # The classes have names, which say more than their numbers.
    text = likewise.query("select distinct text from emoji", workspace=workspace)["text"]
    assert all(f"</svg> {name}</li>" in page for name in text)
    assert page.count('class="swatch"') == 6
    likewise.evaluate("emoji-tiny", workspace=workspace)
    report = likewise.report("emoji-tiny", workspace=workspace)
    assert "Map: t-SNE of the vectors" in (workspace / report.page).read_text("utf-8")


def test_a_map_leaves_out_what_is_taken_down(workspace: Path) -> None:
    write(workspace, "maps", "emoji-plane", MAP)
    likewise.map("emoji-plane", workspace=workspace)
    likewise.forget("emoji", ["0_noto.jpg"], reason="request 1", workspace=workspace)
    table = tables.open_table(workspace / "catalog/emoji/maps/emoji-plane.lance")
    assert table.rows == 23
    likewise.rename("emoji", "drawings", workspace=workspace)
    assert len(likewise.plot_map("emoji-plane", workspace=workspace)) == 23


def test_wrong_maps_are_named(workspace: Path) -> None:
    with pytest.raises(UnknownNameError, match="no map named 'plane'"):
        likewise.map("plane", workspace=workspace)
    write(workspace, "maps", "plane", {**MAP, "model": "tony"})
    with pytest.warns(BrokenEntryWarning, match="did you mean 'tiny'"):
        likewise.open("emoji", workspace=workspace)
    write(workspace, "maps", "plane", MAP)
    likewise.map("plane", workspace=workspace)
    with pytest.raises(DataError, match="no column 'lable'; did you mean 'label'"):
        likewise.plot_map("plane", by="lable", workspace=workspace)
    with pytest.raises(DataError, match="lists or vectors"):
        likewise.plot_map("plane", by="tiny", workspace=workspace)


@pytest.mark.dvc
def test_its_stage_depends_on_the_vectors(recorded: Path) -> None:
    write(recorded, "maps", "emoji-plane", MAP)
    run_dvc(recorded, "repro", "map@emoji-plane")
    assert "up to date" in run_dvc(recorded, "status", "map@emoji-plane")
    assert likewise.query("select x from map_emoji_plane").frame.height == 24


def test_colours_of_a_column() -> None:
    same = pl.Series("label", ["a", "a"])
    assert colouring([same])[0].points == [BLUE, BLUE]
    # Of 25 values, the 17 most frequent ones have colours.
    many = pl.Series("label", [f"{n:02}" for n in range(25) for _ in range(30 - n)])
    [colours] = colouring([many])
    assert [entry.text for entry in colours.legend] == [
        *(f"{n:02}" for n in range(17)),
        "8 other values",
    ]
    assert colours.points[-1] == SOFT
    # Two maps have one legend; a missing value is grey.
    first, second = colouring([pl.Series("role", ["a", None]), pl.Series("role", ["b", "b"])])
    assert first.legend == second.legend
    assert [entry.text for entry in first.legend] == ["a", "b", "no role"]
    assert first.points[1] == SOFT
    [scale] = colouring([pl.Series("width", range(100))])
    assert [entry.text for entry in scale.legend] == ["0.0", "24.8", "49.5", "74.2", "99.0"]
    assert scale.points[0] == scale.legend[0].colour


def test_values_are_in_the_order_of_numbers_and_differ_without_colours() -> None:
    [colours] = colouring([pl.Series("label", ["10", "9", "100", "b", "A"])])
    assert [entry.text for entry in colours.legend] == ["9", "10", "100", "A", "b"]
    assert sorted(["x10", "x9", "x", "10", ""], key=natural) == ["", "10", "x", "x9", "x10"]
    [many] = colouring([pl.Series("label", [f"{n}" for n in range(MOST_COLOURS)])])
    looks = [(entry.colour, entry.shape) for entry in many.legend]
    assert len(set(looks)) == len(looks) == MOST_COLOURS
    for one, following in itertools.pairwise(looks):
        assert one[0] != following[0]
        assert one[1] != following[1]


def test_missing_numbers_have_a_legend() -> None:
    values = pl.Series("width", [*map(float, range(30)), None, float("nan"), float("inf")])
    [colours] = colouring([values])
    assert colours.legend[-1].text == "no width"
    assert colours.points[-3:] == [SOFT] * 3
    assert [float(entry.text) for entry in colours.legend[:5]] == [0, 7.25, 14.5, 21.75, 29]


def test_missing_values_and_many_others_have_a_legend() -> None:
    values = pl.Series("label", [*(f"{n}" for n in range(200)), None])
    [colours] = colouring([values])
    texts = [entry.text for entry in colours.legend]
    assert texts[-2:] == ["184 other values", "no label"]
    assert len(texts) == MOST_COLOURS


def test_classes_are_in_words_if_each_has_a_name_of_its_own() -> None:
    labels = pl.Series("label", ["0", "1", "0"])
    words = in_words(labels, pl.Series("text", ["cat", "dog", "cat"]))
    assert (words.name, words.to_list()) == ("label", ["cat", "dog", "cat"])
    for texts in (["cat", "dog", "a cat"], ["cat", "cat", "cat"], ["cat", None, "cat"]):
        assert in_words(labels, pl.Series("text", texts)).equals(labels)


def test_a_map_of_one_value_says_so() -> None:
    one = pl.Series("subset", ["test", "test"])
    assert meaning(["m: PCA"], [one], "subset").endswith("All items have the subset test.")
    none = pl.Series("subset", [None, None], dtype=pl.String)
    assert meaning(["m: PCA"], [none], "subset").endswith("All items have no subset.")
    assert "mean little" not in meaning(["m: PCA"], [one], "subset")


@pytest.mark.parametrize("label", ["x" * 3_000, "<script>", "قطة", "狗 " * 40, "$a_b$", ""])
def test_a_figure_holds_any_label(label: str, recwarn: pytest.WarningsRecorder) -> None:
    values = pl.Series("label", [label, "b"] * 5)
    random = np.random.default_rng(0).normal(size=(10, 2)).astype(np.float32)
    drawn = map_figure([Panel(label, random, values)] * 5, "label", label, label)
    assert "<script>" not in drawn
    assert not [warning.message for warning in recwarn if "lyph" in str(warning.message)]
    root = ET.fromstring(drawn)  # noqa: S314
    # The legend has a width of its own, so that it does not press the maps.
    assert float(root.attrib["width"].removesuffix("pt")) > 72 * (
        3 * 4.6 + 0.02 * len(label[:60])
    )
    longest = max(len(e.text or "") for e in root.iter() if e.tag.endswith("text"))
    assert longest <= 250
