"""Elements of an XML document as records."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from likewise.errors import DamagedError, DataError, bounded, hint
from likewise.formats.xml_documents import parse_xml

_MAX_GROWTH, _MIN_LIMIT = 8, 1 << 20
"""Maximum characters of names and inherited attributes for each byte of the document."""


def xml_records(
    where: str, data: bytes, element: str
) -> Iterator[dict[str, str | list[str] | None]]:
    """Yield a record per element: its attributes, and the texts of the elements in it.

    The text of ``<size><width>`` is ``size/width``; a name that repeats in an element gives a
    list. An element also has the attributes of the elements around it that repeat, such as the
    image of a box.

    Args:
        where: path of the document, for messages.
        data: the document.
        element: name of the elements; "" for the only one that repeats and has attributes or
            elements.

    Raises:
        DamagedError: the document is not XML, or exceeds the limits of ``document_limits``.
        DataError: there is no such element, or several can be meant.
    """
    survey = _Survey()
    try:
        parse_xml(data, survey.start, survey.end, str)
        limit = _MIN_LIMIT + _MAX_GROWTH * len(data)
        reader = _Reader(survey.chosen(where, element), survey.repeated, limit)
        parse_xml(data, reader.start, reader.end, reader.text)
    except ValueError as error:
        raise DamagedError(f"{where} cannot be read as XML: {error}") from error
    for record in reader.records:
        yield {k: v[0] if len(v) == 1 else (v or None) for k, v in record.items()}


class _Survey:
    """Counts the elements of a document, and those with attributes or elements."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._filled: dict[str, None] = {}
        self._path: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._path:
            self._counts[name] += 1
            if attributes:
                self._filled[name] = None
        for parent in self._path[1:][-1:]:
            self._filled[parent] = None
        self._path.append(name)

    def end(self, _: str) -> None:
        self._path.pop()

    @property
    def repeated(self) -> set[str]:
        """The names of elements that repeat."""
        return {name for name, count in self._counts.items() if count > 1}

    def chosen(self, where: str, element: str) -> str:
        """Return the name of the elements that are records."""
        if element:
            if element not in self._counts:
                known = hint(element, self._counts)
                raise DataError(f"{where}: records: no {element!r}; {known}")
            return element
        filled = [name for name in self._filled if name in self._counts]
        several = [name for name in filled if self._counts[name] > 1]
        candidates = several or filled
        if len(candidates) != 1:
            names = bounded(candidates or self._counts, len(candidates or self._counts))
            raise DataError(
                f"{where}: say which element is a record (records: ...): {names or 'none'}"
            )
        return candidates[0]


class _Reader:
    """Collects the records of a document: name -> its values."""

    def __init__(self, element: str, repeated: set[str], limit: int) -> None:
        self.records: list[dict[str, list[str]]] = []
        self._element, self._repeated = element, repeated
        self._around: list[dict[str, str]] = []
        self._inside: list[str] = []
        self._record: dict[str, list[str]] | None = None
        self._text: list[str] = []
        self._limit = limit

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._record is None and name != self._element:
            self._around.append(attributes if name in self._repeated else {})
            return
        if self._record is None:
            self._record = defaultdict(list)
        else:
            self._inside.append(name)
        for key, value in attributes.items():
            self._add(self._record, [*self._inside, key], value)
        self._text.clear()

    def end(self, _: str) -> None:
        if self._record is None:
            self._around.pop()
            return
        text = "".join(self._text).strip()
        self._text.clear()
        if text:
            self._add(self._record, self._inside or ["text"], text)
        if self._inside:
            self._inside.pop()
            return
        for attributes in reversed(self._around):
            for key, value in attributes.items():
                if key not in self._record:
                    self._add(self._record, [key], value)
                    self._spend(len(value))
        self.records.append(dict(self._record))
        self._record = None

    def text(self, piece: str) -> None:
        if self._record is not None:
            self._text.append(piece)

    def _add(self, record: dict[str, list[str]], path: list[str], value: str) -> None:
        self._spend(sum(map(len, path)))
        record["/".join(path)].append(value)

    def _spend(self, characters: int) -> None:
        """Count characters that are copied; a small document may repeat one without limit."""
        self._limit -= characters
        if self._limit < 0:
            raise ValueError(
                "its records repeat the names and attributes around them too often"
            )
