"""Cases of archives, of YAML, JSON and XML documents, and of files of vectors."""

import io
import pickle  # noqa: TID251 (people have vectors in pickles)
import random
import struct
import tarfile
import zipfile
from typing import Any

import numpy as np

from fuzz.case import JPEG, PNG, VERBS_AFTER, Case, Generator, dump_json, ingest
from fuzz.complete import ITEMS
from fuzz.hostile import STRINGS, change, change_bytes, nested, text_bytes, value
from fuzz.xml_text import element

Members = list[tuple[str, bytes]]


def _members(rng: random.Random) -> Members:
    members = [(f"train/a/{n}.png", PNG) for n in range(3)]
    for _ in range(rng.choice((0, 1, 2))):
        name = rng.choice(("{}", "train/{}/x.png", "train/a/{}.png")).format(
            rng.choice(STRINGS)
        )
        members.append((name or "x", rng.choice((JPEG, b"", change_bytes(PNG, rng)))))
    return members


def _zip(members: Members, rng: random.Random) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", rng.choice((0, 8, 8, 12, 14))) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name.replace("\0", "_")[:60_000] or "x")
            if rng.random() < 0.1:
                info.external_attr = 0o120777 << 16  # a symbolic link
            info.compress_type = archive.compression
            archive.writestr(info, data)
    written = bytearray(stream.getvalue())
    if rng.random() < 0.35:  # a field of a central entry: method, flags, sizes, offset
        at = written.find(b"PK\1\2")
        field = rng.choice((8, 10, 16, 20, 24, 28, 42))
        number = rng.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFFE))
        written[at + field : at + field + 4] = struct.pack("<I", number)
    return bytes(written)


_KINDS = (b"0", b"0", b"0", b"0", b"1", b"2", b"3", b"5", b"6", b"7", b"L", b"x", b"S")


def _tar(members: Members, rng: random.Random) -> bytes:
    stream = io.BytesIO()
    style = rng.choice((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    mode: Any = rng.choice(("w", "w:gz", "w:bz2", "w:xz"))
    with tarfile.open(fileobj=stream, mode=mode, format=style) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if rng.random() < 0.2:
                info.type, info.linkname = rng.choice(_KINDS), rng.choice(STRINGS)
            if rng.random() < 0.1:
                key = rng.choice(("path", "size", "linkpath", "GNU.sparse.size"))
                info.pax_headers = {key: str(value(rng)), "comment": "x" * 9000}
            try:
                archive.addfile(info, io.BytesIO(data))
            except (ValueError, UnicodeError):
                continue  # such a name cannot be written
    data = stream.getvalue()
    if mode == "w" and rng.random() < 0.2:  # the size of the first member
        size = rng.choice((b"77777777777\0", b"\x80" + b"\xff" * 11, b"-0000000001\0"))
        data = data[:124] + size + data[136:]
    return data


def archives(rng: random.Random) -> Case:
    """A zip or tar with hostile members, or damaged bytes."""
    members = _members(rng)
    write = rng.choice((_zip, _tar))
    data = write(members, rng)
    if rng.random() < 0.3:
        data = change_bytes(data, rng)
    suffix = rng.choice((".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz"))
    name = "data.zip" if write is _zip else f"data{suffix}"
    return ingest({"kind": "folder"}, {name: data}, rng, path=name)


_PARAMS = {
    "seed": 0,
    "datasets": {"d": {"path": "data", "annotations": "data"}},
    "models": {"m": {"kind": "timm", "backbone": "test_resnet.r160_in1k", "weights": "random"}},
    "embeddings": {"d-m": {"dataset": "d", "model": "m"}},
    "indexes": {"exact": {"kind": "exact"}},
    "runs": {"d-m": {"dataset": "d", "model": "m", "index": "exact", "protocol": "gpr1200"}},
}
_CARD = {
    "title": "D",
    "source": {"kind": "folder", "exclude": []},
    "licence": {"spdx": "CC0-1.0"},
    "citation": "nobody",
    "faults": ["none"],
}
_LOCK = {
    "schema": "2.0",
    "stages": {
        "ingest@d": {
            "cmd": "likewise ingest d",
            "deps": [{"path": "data", "hash": "md5", "md5": "0" * 32 + ".dir", "nfiles": 1}],
            "outs": [
                {"path": "catalog/d/items.lance", "hash": "md5", "md5": "0" * 32 + ".dir"}
            ],
        }
    },
}
_BOMB = "a0: &a0 [x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)
"""YAML whose aliases expand to 10**9 elements."""


def _document(document: Any, rng: random.Random) -> bytes:
    way = rng.random()
    if way < 0.05:
        return (
            rng.choice(("[", "{a: ", "- ", '{"a":', "!!python/object:os.system [")).encode()
            * 40_000
        )
    if way < 0.1:
        return (_BOMB + f"b: {dump_json(document)}\n").encode()
    if way < 0.15:
        return dump_json(nested(rng)).encode()
    return text_bytes(dump_json(change(document, rng)), rng)


def documents(rng: random.Random) -> Case:
    """A changed params.yaml, card, dvc.lock, data.yaml, JSON or XML file."""
    files: dict[str | bytes, bytes] = {"data/a/1.png": PNG, "data/b/2.png": PNG}
    case = ingest({"kind": "folder"}, files, rng)
    targets: tuple[tuple[str, Any], ...] = (
        ("params.yaml", _PARAMS),
        ("catalog/d.yaml", _CARD),
        ("dvc.lock", _LOCK),
        ("catalog/d/columns/items.yaml", {"rows": 2, "columns": {"item_id": "a" * 64}}),
        ("catalog/d.columns.yaml", {"rows": 2, "columns": {"item_id": "a" * 64}}),
    )
    name, document = rng.choice(targets)
    if rng.random() < 0.15:
        inside = {"object": nested(rng)}
        text = element("annotation", inside, rng)
        return ingest({"kind": "voc"}, {**files, "data/Annotations/1.xml": text.encode()}, rng)
    case.files[name] = _document(document, rng)
    case.commands = [rng.choice((["ingest", "d"], *VERBS_AFTER)), rng.choice(VERBS_AFTER)]
    return case


def vectors(rng: random.Random) -> Case:
    """Vectors of odd types and shapes, or damaged files, to be scored."""
    rows = rng.choice((ITEMS, ITEMS, ITEMS, 0, 1, 23))
    shape: Any = rng.choice(((rows, 8), (rows, 8), (96,), (rows, 2, 4), (rows, 0), ()))
    kind = rng.choice(("<f4", "<f4", "<f8", "<f2", ">f4", "<i8", "?", "<c8", "<U3", "M8[D]"))
    array: Any = (np.arange(int(np.prod(shape))).reshape(shape) % 7).astype("i8").astype(kind)
    if array.size and array.dtype.kind == "f" and rng.random() < 0.4:
        array.flat[0] = rng.choice((np.nan, np.inf, -np.inf, 0))
    suffix = rng.choice((".npy", ".npz", ".pkl", ".csv", ".parquet", ".txt"))
    stream = io.BytesIO()
    if suffix == ".npz":
        arrays: dict[str, Any] = {rng.choice(("features", "a", "b")): array}
        np.savez(stream, **arrays)
    elif suffix == ".pkl":
        pickle.dump(rng.choice((array, {"features": array}, [1], value(rng))), stream)
    else:
        np.save(stream, array)
    data = stream.getvalue()
    if suffix == ".npy" and rng.random() < 0.3:
        shapes = (b"(99999999999, 8), ", b"(-1, 8), ", b"(24, 8" + b"1" * 9 + b"), ")
        data = data.replace(f"({ITEMS}, 8), ".encode(), rng.choice(shapes), 1)
    if rng.random() < 0.3:
        data = change_bytes(data, rng)
    option = rng.choice(("--embeddings", "--embeddings", "--indices"))
    score = ["score", "gpr1200", option, f"v{suffix}", "--images", "emoji/images"]
    search = ["search", "emoji", "--vector", f"v{suffix}", "-k", "3"]
    return Case({f"v{suffix}": data}, [score, search], whole=True)


GENERATORS: dict[str, Generator] = {
    "archives": archives,
    "documents": documents,
    "vectors": vectors,
}
