"""Every path of the public API may be a str or any path-like object."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
import pytest

import likewise
from likewise.errors import LikewiseError

ARGUMENTS: dict[str, dict[str, Any]] = {
    "add": {"dataset": "new", "source": "folder", "path": "emoji/images"},
    "attention": {"models": "tiny", "image": "emoji/images/0_noto.jpg"},
    "compare": {"first": "emoji-tiny", "second": "emoji-tiny"},
    "download": {"name": "absent"},
    "export": {"dataset": "emoji", "format": "folder", "to": "out"},
    "import_vectors": {"dataset": "emoji", "model": "mine", "file": "vectors.npy"},
    "merge_file": {"base": "a.csv", "ours": "b.csv", "theirs": "c.csv", "name": "x.csv"},
    "open": {"name": "emoji"},
    "plot_map": {"names": "plane"},
    "score": {"protocol": "gpr1200-strict", "embeddings": "vectors.npy", "items": "items.csv"},
    "search": {"dataset": "emoji"},
    "search_many": {"dataset": "emoji", "queries": "queries.csv"},
    "validate": {"source": "folder", "path": "emoji/images"},
}
"""Required arguments: a name that does not exist would raise before the path is used."""

PATHS = {
    "add.card": "catalog/emoji.yaml",
    "add.annotations": "emoji/categories.json",
    "attention.figure": "figure.svg",
    "attention.html": "figure.html",
    "compare.html": "changes.html",
    "download.folder": "downloads",
    "import_vectors.ids": "ids.txt",
    "init.folder": "begun",
    "open.repo": ".",
    "write.folder": "models/tiny",
    "plot_map.html": "map.html",
    "plot_map.svg": "map.svg",
    "search.image": "emoji/images/0_noto.jpg",
    "search.vector": "vector.npy",
    "score.images": "emoji/images",
    "score.indices": "lists.npy",
    "score_order.images": "emoji/images",
    "score_order.items": "items.csv",
    "validate.card": "catalog/emoji.yaml",
    "validate.annotations": "emoji/categories.json",
    "schemas.folder": "schemas",
}
"""Paths of optional arguments, relative to the root of the catalogue."""

ALTERNATIVES = {"score.images": "items", "score.indices": "embeddings"}
"""Arguments that exclude another one."""


class Place:
    """A path that is neither a str nor a pathlib.Path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in likewise.__all__:
        if inspect.isfunction(found := getattr(likewise, name)):
            yield name, found


def parameters(function: Callable[..., Any]) -> dict[str, str]:
    """Return every parameter and keyword of a function, and its type as text."""
    found: dict[str, str] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            (options,) = get_args(parameter.annotation)
            found |= {name: str(kind) for name, kind in options.__annotations__.items()}
        else:
            found[parameter.name] = str(parameter.annotation)
    return found


PARAMETERS = [
    f"{name}.{parameter}"
    for name, function in functions()
    for parameter, kind in parameters(function).items()
    if "PathLike" in kind
]
KINDS: list[tuple[str, Callable[[Path], object]]] = [(key, str) for key in PARAMETERS]
KINDS += [(key, Place) for key in PARAMETERS if not key.endswith(".workspace")]


def test_the_functions_with_paths_are_found() -> None:
    assert len(PARAMETERS) > 50
    assert {key.partition(".")[0] for key in PARAMETERS} >= set(ARGUMENTS)


def public_callables() -> Iterator[tuple[str, Callable[..., Any]]]:
    yield from functions()
    for name in likewise.__all__:
        if inspect.isclass(found := getattr(likewise, name)):
            for method, body in inspect.getmembers(found, inspect.isfunction):
                if body.__module__.startswith("likewise.") and not method.startswith("_"):
                    yield f"{name}.{method}", body


def test_no_public_function_insists_on_pathlib() -> None:
    narrow = [
        f"{name}.{parameter}: {kind}"
        for name, function in public_callables()
        for parameter, kind in parameters(function).items()
        if "pathlib" in kind and "PathLike" not in kind
    ]
    assert narrow == []


def arguments(key: str, root: Path, kind: Callable[[Path], object]) -> dict[str, Any]:
    """Return arguments for the function of ``key``: its path as ``kind``, others as Path."""
    name, _, parameter = key.partition(".")
    function = getattr(likewise, name)
    signature, kinds = inspect.signature(function).parameters, parameters(function)
    given = dict(ARGUMENTS.get(name, {}))
    for other in signature.values():
        if other.default is other.empty and other.kind is not other.VAR_KEYWORD:
            given.setdefault(other.name, "absent")
    given.pop(ALTERNATIVES.get(key, ""), None)
    if parameter == "workspace":
        given[parameter] = "."
    elif parameter not in given:
        given[parameter] = PATHS[key]
    if "workspace" in signature:
        given.setdefault("workspace", ".")
    return {
        argument: (kind if argument == parameter else Path)(root / value)
        if "PathLike" in kinds[argument]
        else value
        for argument, value in given.items()
    }


@pytest.mark.torch
@pytest.mark.parametrize(("key", "kind"), KINDS)
def test_a_path_may_be_text_or_path_like(
    key: str,
    kind: Callable[[Path], object],
    workspace: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (workspace / "queries.csv").write_text("id\n0_noto.jpg\n", "utf-8")
    (workspace / "items.csv").write_text("item_id,label\na,x\nb,x\nc,y\nd,y\n", "utf-8")
    np.save(workspace / "vectors.npy", np.eye(4, dtype=np.float32))
    np.save(workspace / "vector.npy", np.ones(96))
    np.save(workspace / "lists.npy", np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]))
    for name in ("a.csv", "b.csv", "c.csv"):
        (workspace / name).write_text("", "utf-8")
    monkeypatch.chdir(tmp_path)  # outside the catalogue
    try:
        result = getattr(likewise, key.partition(".")[0])(**arguments(key, workspace, kind))
        if key.startswith("serve."):
            result.__exit__()  # closes its sockets
    except LikewiseError as error:
        assert "no catalogue in" not in str(error)  # noqa: PT017 (the call may also succeed)


RESULTS: dict[str, Callable[[], object]] = {
    "Dataset": lambda: likewise.open("emoji"),
    "Hits": lambda: likewise.search("emoji", id="0_noto.jpg", k=1),
    "Leaderboard": likewise.leaderboard,
    "Passport": lambda: likewise.Passport.read("models/tiny"),
    "QueryResult": lambda: likewise.query("select label from emoji"),
    "Statistics": lambda: likewise.describe("emoji"),
    "Suspects": lambda: likewise.suspects("emoji", "tiny"),
}
ELSEWHERE = {"Checked", "Difference"}
"""Their tests create the objects, and also write pages by text paths."""

METHODS = [
    f"{name}.{parameter}"
    for name, method in public_callables()
    for parameter, kind in parameters(method).items()
    if "." in name and "PathLike" in kind and name.partition(".")[0] not in ELSEWHERE
]


@pytest.mark.torch
@pytest.mark.parametrize("key", METHODS)
def test_a_path_of_a_method_may_be_text(key: str, workspace: Path) -> None:
    name, method, parameter = key.split(".")
    np.save("vector.npy", np.ones(96))
    path = workspace / PATHS.get(f"{method}.{parameter}", "written")
    getattr(RESULTS[name](), method)(**{parameter: str(path)})
    assert path.is_dir() if parameter == "folder" else path.is_file()


def test_arrays_and_frames_replace_their_files(workspace: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(6, 4))
    lists = [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]
    items = pl.DataFrame({"item_id": list("abcdef"), "label": list("xxyyzz")})
    np.save("vectors.npy", vectors)
    np.save("lists.npy", np.array(lists))
    items.write_csv("items.csv")
    by_file = likewise.score("gpr1200-strict", embeddings="vectors.npy", items="items.csv")
    for given in (vectors, vectors.tolist(), pl.DataFrame(vectors)):
        by_array = likewise.score("gpr1200-strict", embeddings=given, items=items)
        assert by_array.metrics == by_file.metrics
    for ranked in (lists, np.array(lists)):
        assert (
            likewise.score("gpr1200-strict", indices=ranked, items=items[:4]).metrics
            == likewise.score("gpr1200-strict", indices="lists.npy", items=items[:4]).metrics
        )
    with pytest.raises(likewise.DataError, match="embeddings: the rows differ in length"):
        likewise.score("gpr1200-strict", embeddings=[[1.0], [1.0, 2.0]], items=items)
    with pytest.raises(likewise.DataError, match="items: no column 'item_id'"):
        likewise.score("gpr1200-strict", embeddings=vectors, items=items.drop("item_id"))
