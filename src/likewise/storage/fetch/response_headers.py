"""The headers of a response: the size and the place of its body, and contradictions in them."""

import http.client
from dataclasses import dataclass
from email.message import Message


class ContradictionError(Exception):
    """The headers contradict each other or the request; the text says how."""


@dataclass(frozen=True)
class Body:
    """The place of a body in a file, as the headers describe it.

    Attributes:
        first: offset of its first byte in the file.
        end: offset after its last byte; None if the headers do not say it.
        total: size of the whole file; None if the headers do not say it.
        has_end: a body that was cut can be noticed, by its length or its chunks.
    """

    first: int
    end: int | None
    total: int | None
    has_end: bool

    @classmethod
    def of(cls, answer: http.client.HTTPResponse) -> "Body":
        """Return the body that ``answer`` announces.

        Raises:
            ContradictionError: the headers are invalid, or contradict each other.
        """
        headers = answer.headers
        is_chunked = headers.get("Transfer-Encoding", "").strip().lower() == "chunked"
        length = None if is_chunked else _length(headers)
        if answer.status != http.client.PARTIAL_CONTENT:
            return cls(0, length, length, is_chunked or length is not None)
        first, last, total = _range(headers)
        if length is not None and length != last - first + 1:
            raise ContradictionError(
                f"the server announces {length:,} bytes, and the bytes {first:,} to {last:,}"
            )
        return cls(first, last + 1, total, has_end=True)


def validator(headers: Message) -> str:
    """Return the value by which the server detects a changed file; "" if it sends none."""
    etag = headers.get("ETag", "")
    # A weak tag does not promise the same bytes.
    return headers.get("Last-Modified", "") if etag.startswith("W/") or not etag else etag


def coding(headers: Message) -> str:
    """Return the coding of the body, such as gzip; "" if it is the file itself."""
    name = headers.get("Content-Encoding", "").strip().lower()
    return "" if name == "identity" else name


def _length(headers: Message) -> int | None:
    values = {value.strip() for value in headers.get_all("Content-Length", [])}
    if not values:
        return None
    text = values.pop()
    if values or not (text.isascii() and text.isdigit()):
        raise ContradictionError("the server announces an invalid or ambiguous length")
    return int(text[:20])


def _range(headers: Message) -> tuple[int, int, int | None]:
    """Return first byte, last byte and total of ``Content-Range: bytes 5-9/10``."""
    unit, _, rest = headers.get("Content-Range", "").partition(" ")
    span, _, total = rest.partition("/")
    numbers = span.split("-")
    texts = [*numbers, *([] if total == "*" else [total])]
    is_valid = unit == "bytes" and len(numbers) == 2
    if not is_valid or not all(t.isascii() and t.isdigit() and len(t) <= 20 for t in texts):
        raise ContradictionError("the server sent a part of the file without a valid range")
    first, last = map(int, numbers)
    size = None if total == "*" else int(total)
    if last < first or (size is not None and last >= size):
        raise ContradictionError("the server sent a part of the file without a valid range")
    return first, last, size
