"""XML documents within limits, and without document types and entities."""

import codecs
import re
from collections.abc import Callable
from xml.parsers import expat

from likewise.formats.document_limits import MAX_DEPTH, MAX_XML_BYTES, TOO_DEEP, size_fault


def parse_xml(
    data: bytes,
    start: Callable[[str, dict[str, str]], object],
    end: Callable[[str], object],
    text: Callable[[str], object],
) -> None:
    """Parse the XML document ``data``: call a function for each tag and piece of text.

    A document type is refused, because it may define entities that expand without limit, or
    that read other files.

    Args:
        data: the document.
        start: called with the name and the attributes of an element where it begins.
        end: called with the name of an element where it ends.
        text: called with the text between tags, possibly in several pieces.

    Raises:
        ValueError: not XML, or more than the limits of ``document_limits``; the text says why.
    """
    if fault := size_fault(len(data), MAX_XML_BYTES):
        raise ValueError(fault)
    depth = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(TOO_DEEP)
        start(name, attributes)

    def finish(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name)

    encoding, data = _in_utf8(data)
    parser = expat.ParserCreate(encoding)
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.CharacterDataHandler = text
    try:
        parser.Parse(data, True)  # noqa: FBT003 (pyexpat takes it by place only)
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(str(error)) from error


_DECLARATION = re.compile(
    rb"\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']"
)
_NATIVE = frozenset(("utf-8", "utf-16", "us-ascii", "ascii", "iso-8859-1"))
"""Encodings that expat reads itself."""

_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030"}
"""Encoding -> one with more characters, which tools write under the same name."""


def _in_utf8(data: bytes) -> tuple[str | None, bytes]:
    """Return the encoding and the bytes for expat, which reads few encodings.

    Raises:
        ValueError: the bytes are not valid in the encoding that the document declares.
    """
    match = _DECLARATION.match(data[:400])
    declared = match[1].decode().lower() if match else "utf-8"
    if declared in _NATIVE:
        return None, data
    try:
        codec = codecs.lookup(_SUPERSETS.get(declared, declared))
        return "utf-8", data.decode(codec.name).encode()
    except (LookupError, UnicodeError) as error:
        raise ValueError(f"its encoding {declared!r} cannot be read: {error}") from error


def _refuse_document_type(*_: object) -> None:
    raise ValueError("it has a document type, which is not read")
