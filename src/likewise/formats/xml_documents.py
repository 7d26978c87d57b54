"""XML documents within limits, and without document types and entities."""

from collections.abc import Callable
from xml.parsers import expat

from likewise.formats.document_limits import MAX_DEPTH, MAX_XML_BYTES, TOO_DEEP, size_fault


def parse_xml(
    data: bytes,
    start: Callable[[str], object],
    end: Callable[[str], object],
    text: Callable[[str], object],
) -> None:
    """Parse the XML document ``data``: call a function for each tag and piece of text.

    A document type is refused, because it may define entities that expand without limit, or
    that read other files.

    Args:
        data: the document.
        start: called with the name of an element where it begins.
        end: called with the name of an element where it ends.
        text: called with the text between tags, possibly in several pieces.

    Raises:
        ValueError: not XML, or more than the limits of ``document_limits``; the text says why.
    """
    if fault := size_fault(len(data), MAX_XML_BYTES):
        raise ValueError(fault)
    depth = 0

    def begin(name: str, _: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(TOO_DEEP)
        start(name)

    def finish(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.CharacterDataHandler = text
    try:
        parser.Parse(data, True)  # noqa: FBT003 (pyexpat takes it by place only)
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(str(error)) from error


def _refuse_document_type(*_: object) -> None:
    raise ValueError("it has a document type, which is not read")
