"""The source ``csv`` reads what it read before it became ``table``: the same items."""

import hashlib
from typing import Any

import pytest

from memory_files import images, read_memory

PICTURES = images("images/a.jpg", "images/b.jpg", "images/sub/c.png", "images/d.jpg")

SETS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "boxes, extra columns, splits": (
        {
            "items.csv": (
                "image,label,text,split,subset,role,x1,y1,x2,y2,colour,age,width,height\n"
                "images/a.jpg,cat,a cat,train,s,query,1,2,9.5,8,red,007,40,30\n"
                "images/a.jpg,dog,,train,s,query,3,2,9.5,8,blue,12,40,30\n"
                "images/b.jpg,,,test,,gallery,,,,,,1,40,30\n"
                "images/a.jpg,dog,,train,s,query,3,2,9.5,8,blue,12,40,30\n"
                "images/missing.jpg,dog,,train,s,query,3,2,9.5,8,blue,12,40,30\n"
                "images/d.jpg,dog,,val,s,,9,2,3,8,blue,12,40,30\n"
            )
        },
        {},
        "86d485f5966d0de1",
    ),
    "semicolons, options, one-based": (
        {
            "annotations/train_a.csv": (
                "image;label;left;top;right;bottom;Wert\n"
                "a.jpg;Eule;1;1;10;10;1,5\n"
                "c;Falke;1;1;10;10;2\n"
                '"b.jpg";"Eu;le";;;;;\n'
                "b.jpg;Falke;;;;\n"
            ),
            "annotations/val_b.tsv": "path\tclass\nimages/d.jpg\tx y\n",
        },
        {"corners": "1-based", "rename": {"Wert": "value"}},
        "8d6d87c9dabd4bc8",
    ),
    "quotes, line ends, encodings": (
        {
            "test/x.csv": (
                'path,category,note\r\nimages/a.jpg,"two\r\nlines","say ""hi"""\r\n\r\n'
                "images\\b.jpg,caf\xe9,\r\nIMAGES/SUB/C.PNG,x,=1\r\n"
            ).encode("cp1252"),
            "y.csv": "file_name|caption|w\nd|a text|3\n".encode("utf-16"),
        },
        {"encoding": "cp1252"},
        "73e40158b015b55d",
    ),
    "no boxes, unlisted dropped": (
        {"t.csv": "name,partition,top,score\na.jpg,valid,1,0.5\nb.jpg,Test,2,1e3\n"},
        {"unlisted": "drop"},
        "cc19dbff5f77321a",
    ),
}
"""Files, options, and the digest of the items at the last commit before the change."""


@pytest.mark.parametrize("name", SETS)
def test_the_items_of_csv_are_those_of_before(name: str) -> None:
    files, options, digest = SETS[name]
    kinds = ("csv", "table")
    for kind in kinds:
        items = read_memory(kind, {**PICTURES, **files}, **options).items
        content = repr((items.schema, items.rows()))
        assert hashlib.sha256(content.encode()).hexdigest()[:16] == digest
