"""Add entries to params.yaml; comments stay, and all files are written or none."""

from collections.abc import Collection, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import CommentMark
from ruamel.yaml.tokens import CommentToken
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from likewise.formats import atomic
from likewise.formats.text_files import read_text
from likewise.storage import journal
from likewise.storage.config import read_params
from likewise.storage.workspace import Workspace

_TEXT = "tag:yaml.org,2002:str"


class ParamsEditor:
    """Adds entries to params.yaml, and writes other files together with it."""

    def __init__(self, ws: Workspace) -> None:
        """Read params.yaml; nothing is written before ``commit``."""
        self._ws = ws
        self._document = round_trip().load(read_text(ws.params_file)) or {}
        self._files: dict[Path, str] = {}

    def add(self, section: str, entries: Mapping[str, Any]) -> None:
        """Add entries to a section; an entry of the same name is replaced."""
        if not self._document.get(section):
            self._document[section] = {}
        present = self._document[section]
        comments = _detach_comments(present)
        present.update(round_trip().load(dump_yaml(entries)))
        _attach_comments(present, comments)

    def add_file(self, path: Path, text: str) -> None:
        """Write another file at ``commit``."""
        self._files[path] = text

    def commit(self) -> None:
        """Write params.yaml and the other files, all or none of them.

        Raises:
            ConfigError: the new params.yaml is invalid.
            DataError: another process is writing the file, or the file cannot be written.
        """
        with journal.exclusive_job(self._ws, "params"):
            staging = journal.Staging(self._ws, "params")
            params = staging.path(self._ws.params_file)
            atomic.write_text(params, dump_yaml(self._document))
            read_params(params)
            for path, text in self._files.items():
                atomic.write_text(staging.path(path), text)
            staging.commit()


def rename_key(section: CommentedMap, old: str, new: str) -> None:
    """Give an entry another name; its place and its comments stay."""
    if old == new:
        return
    position, value = list(section).index(old), section[old]
    comment = section.ca.items.pop(old, None)
    del section[old]
    section.insert(position, new, value)
    if comment is not None:
        section.ca.items[new] = comment


def remove_keys(document: CommentedMap, name: str, keys: Collection[str]) -> None:
    """Remove entries of the section ``name``; the comments below the section stay."""
    section = document[name]
    comments = _detach_comments(section)
    for key in keys:
        del section[key]
    if section:
        _attach_comments(section, comments)
        return
    head = document.ca.items.get(name)
    document[name] = CommentedMap()
    document[name].fa.set_flow_style()
    if comments:
        inline = next(
            (token.value for token in head or () if isinstance(token, CommentToken)), ""
        )
        text = f"{inline.partition(chr(10))[0]}\n{comments}"
        document.ca.items[name] = [None, None, CommentToken(text, CommentMark(0)), None]


def dump_yaml(document: object) -> str:
    """Return ``document`` as YAML."""
    text = StringIO()
    round_trip().dump(document, text)
    return text.getvalue()


def _detach_comments(section: Any) -> str:
    """Remove and return the comments below a section, which belong to its last value."""
    if not isinstance(section, CommentedMap) or not section:
        return ""
    mapping, key = _end(section)
    token = (mapping.ca.items.get(key) or [None] * 4)[2]
    if token is None:
        return ""
    inline, _, below = token.value.partition("\n")
    if not below.strip():
        return ""
    if inline:
        token.value = f"{inline}\n"
    else:
        del mapping.ca.items[key]
    return str(below)


def _attach_comments(section: Any, below: str) -> None:
    """Put comments below a section again, after the new entries."""
    if below:
        mapping, key = _end(section)
        mapping.ca.items[key] = [None, None, CommentToken(f"\n{below}", CommentMark(0)), None]


def _end(section: CommentedMap) -> tuple[CommentedMap, str]:
    """Return the mapping with the last value of a section, and the key of the value."""
    key = next(reversed(section))
    inner = section[key]
    if isinstance(inner, CommentedMap) and inner and not inner.fa.flow_style():
        return _end(inner)
    return section, key


def round_trip() -> YAML:
    """Return a parser and writer of YAML that keeps comments, in the style of our files."""
    writer = YAML()
    writer.width = 4096
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.representer.add_representer(str, _text)
    return writer


def _text(representer: Any, text: str) -> Any:
    """Represent a text, quoted if YAML 1.1 would read another type: ``no`` is false."""
    read = Resolver().resolve(ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return representer.represent_scalar(_TEXT, text, style=None if read == _TEXT else '"')
