"""Entries of params.yaml, written by a verb: all comments stay, and nothing half done."""

from collections.abc import Mapping
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
from likewise.storage import journal
from likewise.storage.config import read_params
from likewise.storage.workspace import Workspace

_TEXT = "tag:yaml.org,2002:str"


class Entries:
    """params.yaml with some entries more, and files that are written together with it."""

    def __init__(self, ws: Workspace) -> None:
        """Read what is there; nothing is written yet."""
        self._ws = ws
        self._document = round_trip().load(ws.params_file.read_text(encoding="utf-8")) or {}
        self._beside: dict[Path, str] = {}

    def add(self, section: str, entries: Mapping[str, Any]) -> None:
        """Put entries into a section; one of the same name is replaced."""
        if not self._document.get(section):
            self._document[section] = {}
        found = self._document[section]
        below = _lifted(found)
        found.update(round_trip().load(dumped(entries)))
        _hung(found, below)

    def beside(self, path: Path, text: str) -> None:
        """Write another file too, when all of it is written."""
        self._beside[path] = text

    def commit(self) -> None:
        """Write all of it, or nothing.

        Raises:
            ConfigError: params.yaml would be wrong.
            DataError: another process writes it now, or it cannot be written.
        """
        with journal.exclusive_job(self._ws, "params"):
            staging = journal.Staging(self._ws, "params")
            params = staging.path(self._ws.params_file)
            atomic.write_text(params, dumped(self._document))
            read_params(params)
            for path, text in self._beside.items():
                atomic.write_text(staging.path(path), text)
            staging.commit()


def dumped(document: object) -> str:
    """``document`` as YAML."""
    text = StringIO()
    round_trip().dump(document, text)
    return text.getvalue()


def _lifted(section: Any) -> str:
    """The comments below a section, taken off its last value, where ruamel.yaml has them."""
    if not isinstance(section, CommentedMap) or not section:
        return ""
    mapping, key = _end(section)
    token = (mapping.ca.items.get(key) or [None] * 4)[2]
    if token is None:
        return ""
    beside, _, below = token.value.partition("\n")
    if not below.strip():
        return ""
    if beside:
        token.value = f"{beside}\n"
    else:
        del mapping.ca.items[key]
    return str(below)


def _hung(section: Any, below: str) -> None:
    """Put comments below a section again, after the entries that came."""
    if below:
        mapping, key = _end(section)
        mapping.ca.items[key] = [None, None, CommentToken(f"\n{below}", CommentMark(0)), None]


def _end(section: CommentedMap) -> tuple[CommentedMap, str]:
    """The last value of a section: the mapping that holds it, and its key there."""
    key = next(reversed(section))
    inner = section[key]
    if isinstance(inner, CommentedMap) and inner and not inner.fa.flow_style():
        return _end(inner)
    return section, key


def round_trip() -> YAML:
    """Reads YAML and writes it again with its comments, in the style of our files."""
    writer = YAML()
    writer.width = 4096
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.representer.add_representer(str, _text)
    return writer


def _text(representer: Any, text: str) -> Any:
    """Text, quoted where DVC and we would read another thing: YAML 1.1 takes no for false."""
    read = Resolver().resolve(ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return representer.represent_scalar(_TEXT, text, style=None if read == _TEXT else '"')
