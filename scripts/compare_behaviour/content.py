"""What a file or folder holds, as plain values: equal for equal contents, however packed."""

import hashlib
import html
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lance
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

LONG = 20_000
"""Characters of a text above which only its digest is recorded."""

TEXTS = {".csv", ".jsonl", ".md", ".svg", ".tsv", ".txt", ".xml"}


def content(path: Path) -> Any:
    """What ``path`` holds: a mapping by name for a folder."""
    if path.suffix == ".lance":
        return table(lance.dataset(str(path)).to_table())
    if path.is_dir():
        return {entry.name: content(entry) for entry in sorted(path.iterdir())}
    if not path.is_file():
        return "nothing is there"
    return _file(path.name, path.read_bytes())


def table(rows: pa.Table) -> dict[str, Any]:
    """The schema, with all metadata, and a digest of every column."""
    fields = {
        field.name: [str(field.type), field.nullable, _metadata(field.metadata)]
        for field in rows.schema
    }
    digests = {
        name: digest(repr(rows[name].to_pylist()).encode()) for name in rows.column_names
    }
    return {
        "rows": len(rows),
        "fields": fields,
        "metadata": _metadata(rows.schema.metadata),
        "columns": digests,
    }


def digest(data: bytes) -> str:
    """The SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def page_text(page: str) -> list[str]:
    """The visible text of an HTML page, a line a line, and digests of its pictures."""
    pictures = [digest(found.encode()) for found in re.findall(r"data:image/[^\"')]+", page)]
    text = re.sub(r"(?s)<(style|script)\b.*?</\1>", "", page)
    lines = (
        line.strip() for line in html.unescape(re.sub(r"<[^>]+>", "\n", text)).splitlines()
    )
    return [*filter(None, lines), *(f"picture {found}" for found in pictures)]


def _file(name: str, data: bytes) -> Any:
    suffix = Path(name).suffix
    if suffix in TEXTS and len(data) <= LONG:
        return data.decode().splitlines()
    return READERS.get(suffix, digest)(data)


def _zip(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {member: digest(archive.read(member)) for member in archive.namelist()}


def _tar(data: bytes) -> dict[str, str]:
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            file = archive.extractfile(member)
            found[member.name] = digest(file.read()) if file else "a folder"
    return found


def _metadata(metadata: dict[bytes, bytes] | None) -> dict[str, Any]:
    return {key.decode(): _value(value) for key, value in sorted((metadata or {}).items())}


def _value(value: bytes) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value.decode(errors="backslashreplace")


READERS: dict[str, Callable[[bytes], Any]] = {
    ".html": lambda data: page_text(data.decode()),
    ".json": json.loads,
    ".npz": _zip,
    ".parquet": lambda data: table(pq.read_table(io.BytesIO(data))),
    ".tar": _tar,
    ".yaml": yaml.safe_load,
    ".zip": _zip,
}
"""How files are read, by suffix; of any other one the digest is recorded."""
