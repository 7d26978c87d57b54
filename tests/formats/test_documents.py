"""YAML, JSON and XML of strangers: within limits, or one error that names the document."""

import re
from pathlib import Path

import pytest

from likewise.errors import ConfigError, DamagedError
from likewise.formats.document_limits import MAX_DEPTH, MAX_YAML_BYTES
from likewise.formats.json_documents import (
    fields_pattern,
    parse_json,
    read_json,
    repeats_fields,
    repeats_keys,
)
from likewise.formats.xml_documents import parse_xml
from likewise.formats.yaml_documents import parse_yaml, read_yaml


def nested_aliases(item: str) -> bytes:
    """Lists of nine references to the list before, so that the last has 9^12 values."""
    lists = [f"a0: &a0 {item}"]
    lists += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 13)]
    return "\n".join(lists).encode()


def nested_merges() -> bytes:
    """Mappings that merge the one before twice, so that the last has 2^40 keys."""
    maps = ["a0: &a0 {k: 1}"]
    maps += [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 41)]
    return "\n".join(maps).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[" * 100_000, "nesting"),
        (b"{a: " * 100_000, "nesting"),
        (b"- " * 100_000, "nesting"),
        (b"? " * 100_000, "nesting"),
        (b"\n".join(b" " * n + b"a:" for n in range(500)), "nesting"),
        (nested_aliases("x"), "more than 1,000,000 values"),
        (nested_merges(), "more than 1,000,000 values"),
        (b"a: &a [*a]", "alias within the value"),
        (b"a: " + b"9" * 5000, "number of 5,000 characters"),
        (b"a: 0x" + b"f" * 30, "more than 64 bits"),
        (b"a: " + b"1:" * 5000 + b"1.5", "number of 10,003 characters"),
        (b"1: a\n0x1: b", "'0x1' is repeated"),
        (b"a: {b: 1, b: 2}", "'b' is repeated"),
        (b"yes: 1\ntrue: 2", "'true' is repeated"),
        (b"a: !!bool x", "does not fit its tag"),
        (b"a: !!timestamp x", "does not fit its tag"),
        (b"#" * (MAX_YAML_BYTES + 1), "bytes; at most"),
    ],
)
def test_yaml_beyond_the_limits_is_one_error(data: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"^data\.yaml: .*{re.escape(said)}") as caught:
        parse_yaml(data, "data.yaml")
    assert len(str(caught.value)) < 200


def test_yaml_within_the_limits_is_read(tmp_path: Path) -> None:
    deep = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    text = f"a: &a {{b: 1}}\nc: {{<<: *a, d: 18446744073709551615}}\ne: {deep}\nf: [*a, *a]\n"
    (tmp_path / "x.yaml").write_text(text)
    document = read_yaml(tmp_path / "x.yaml")
    assert isinstance(document, dict)
    assert document["c"] == {"b": 1, "d": 2**64 - 1}
    assert document["f"] == [{"b": 1}, {"b": 1}]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[" * 100_000, "levels of nesting"),
        (b"[" * 90 + b"]" * 90, "levels of nesting"),
        (b'{"a":' * 90 + b"1" + b"}" * 90, "levels of nesting"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "'c' is repeated"),
        (b"9" * 5000, "digits"),
        (b"[1, -99999999999999999999]", "more than 64 bits"),
        (b"\xff", "utf-8"),
        (b"{", "line 1"),
    ],
)
def test_json_beyond_the_limits_is_one_error(data: bytes, said: str) -> None:
    with pytest.raises(DamagedError, match=rf"^x\.json is not JSON .*{said}"):
        parse_json(data, "x.json")


def test_json_within_the_limits_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b'\xef\xbb\xbf{"[": [["\\"["], 18446744073709551615]}')
    assert read_json(tmp_path / "x.json") == {"[": [['"['], 2**64 - 1]}
    assert parse_json(b"[" + b"[1],[2]," * 500 + b"[3]]", "x") == [[1], [2]] * 500 + [[3]]


@pytest.mark.parametrize(
    ("data", "repeats"),
    [
        (b'{"id": 1, "name": "a: b"}', False),
        (b'{"id": 1, "id": 2}', True),
        (b'{"id": 1, "i\\u0064": 2}', True),
        (b'{"id": 1, "more": {"id": 2}}', False),
    ],
)
def test_a_key_that_another_parser_would_lose_is_noticed(data: bytes, repeats: bool) -> None:
    assert repeats_keys(data, parse_json(data, "x") if not repeats else {"id": 2}) is repeats
    assert repeats_fields(data, fields_pattern("id", "name")) is repeats


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<a>" * 100_000, "levels of nesting"),
        (b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a>&c;</a>', "document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>', "document type"),
        (b'<?xml version="1.0" encoding="none"?><a/>', "encoding"),
        (b"<a>", "no element found"),
    ],
)
def test_xml_beyond_the_limits_is_one_error(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_xml(data, lambda name, _: name, str, str)
