"""Tables of any form: delimiters, headers, count lines, encodings, boxes, labels and texts."""

from typing import Any

import pytest

from likewise.errors import ConfigError, DamagedError, DataError
from memory_files import boxes, findings, images, read_memory, rows

TWO = images("pics/a.jpg", "pics/b.jpg")
LABELS = {"pics/a.jpg": "cat", "pics/b.jpg": "big dog"}


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("t.csv", "image,label\na.jpg,cat\nb.jpg,big dog\n", {}),
        ("t.csv", "image;label\na.jpg;cat\nb.jpg;big dog\n", {}),
        ("t.csv", "image\tlabel\r\na.jpg\tcat\r\nb.jpg\tbig dog\r\n", {}),
        ("t.csv", "image| label\na.jpg| cat\nb.jpg| big dog\n", {}),
        ("t.csv", 'image,label\n"a.jpg","cat"\n"b.jpg",big dog', {}),
        ("t.csv", "2\nimage,label\na.jpg,cat\nb.jpg,big dog\n", {}),
        ("t.csv", "# made\nimage,label\n#x\na.jpg,cat\nb.jpg,big dog", {"comment": "#"}),
        ("t.csv", "made\nby,us,\nimage,label\na.jpg,cat\nb.jpg,big dog", {"skip": 2}),
        ("t.csv", "a.jpg,cat\nb.jpg,big dog\n", {"columns": ["image", "label"]}),
        ("t.csv", "x,y\na.jpg,cat\nb.jpg,big dog", {"columns": "image label", "header": True}),
        (
            "t.csv",
            "id,what\na.jpg,cat\nb.jpg,big dog",
            {"columns": {"id": "image", "what": "label"}},
        ),
        ("t.csv", "n,id,what\n1,a.jpg,cat\n2,b.jpg,big dog", {"image": "id", "label": "what"}),
        ("t.csv", "a.jpg 7 cat\nb.jpg 8 big dog\n", {"columns": "image _ label..."}),
        (
            "t.csv",
            "a.jpg   cat\nb.jpg\tbig dog\n",
            {"columns": "image label...", "delimiter": "whitespace"},
        ),
        ("t.txt", "a.jpg cat\nb.jpg big dog\n", {"tables": "t.txt(image label...)"}),
        (
            "t.csv",
            'image\tlabel\na.jpg\tcat\nb.jpg\t"big dog\n',
            {"quote": "", "values": {"label": {'"big dog': "big dog"}}},
        ),
        ("t.csv", "image,label\na.jpg,cat\nb.jpg,big dog\n".encode("utf-8-sig"), {}),
        ("t.csv", "image,label\na.jpg,cat\nb.jpg,big dog\n".encode("utf-16"), {}),
    ],
)
def test_every_form_of_a_table_is_read(name: str, text: Any, options: dict[str, Any]) -> None:
    result = read_memory("table", {**TWO, name: text}, **options)
    assert rows(result, "label") == LABELS
    assert findings(result) == {}


def test_another_encoding_is_an_option() -> None:
    text = "image,label\na.jpg,猫\nb.jpg,狗\n".encode("gb18030")
    result = read_memory("table", {**TWO, "t.csv": text}, encoding="gb18030")
    assert rows(result, "label") == {"pics/a.jpg": "猫", "pics/b.jpg": "狗"}
    assert {
        i.partition(":")[0] for i in findings(read_memory("table", {**TWO, "t.csv": text}))
    } == {"bad-row"}


def test_a_header_without_the_name_of_its_first_column() -> None:
    text = "2\nBald Young\na.jpg -1  1\nb.jpg  1 -1\n"
    result = read_memory("table", {**TWO, "t.csv": text}, labels="*")
    assert rows(result, "label", "labels") == {
        "pics/a.jpg": ["Young", ["Young"]],
        "pics/b.jpg": ["Bald", ["Bald"]],
    }


def test_what_cannot_be_read_is_a_finding_with_its_line() -> None:
    text = "3\nimage label\na.jpg cat\nb.jpg\nc.jpg cat\n"
    assert findings(read_memory("table", {**TWO, "t.csv": text})) == {
        "bad-row: t.csv: line 4": "it has 1 field, and the header 2",
        "dangling: t.csv: line 5": "it names 'c.jpg': no such image",
    }
    text = "4\nimage label\na.jpg cat\n"
    assert findings(read_memory("table", {**TWO, "t.csv": text}))["incomplete: t.csv"] == (
        "its first line says 4 rows; it has 1"
    )
    text = 'image\tlabel\na.jpg\t"cat\nb.jpg\tdog\n'
    assert (
        "quote=" in findings(read_memory("table", {**TWO, "t.csv": text}))["odd-quotes: t.csv"]
    )


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a.jpg,cat\nb.jpg,dog\n", {}, "its first line looks like a row; name the columns"),
        ("image,specie\na.jpg,owl\n", {"label": "species"}, "did you mean 'specie'"),
        ("image,image\na.jpg,owl\n", {}, "two columns have the name 'image'"),
        ("image,what\na.jpg,owl\n", {"columns": {"wat": "label"}}, "did you mean 'what'"),
        ("image,what\na.jpg,owl\n", {"values": {"wat": {"a": "b"}}}, "did you mean 'what'"),
        ("image,what\na.jpg,owl\n", {"labels": "wat"}, "did you mean 'what'"),
        ("image,what\na.jpg,owl\n", {"lists": "wat"}, "did you mean 'what'"),
        ("image,x1,y1,x2\na.jpg,1,2,3\n", {}, "incomplete box columns"),
        ("image,what\na.jpg,owl\n", {"tables": "u.txt"}, "expected u.txt"),
        ("image,what\na.jpg,owl\n", {"tables": "t.csv on id"}, "one without it must have"),
        ("image,what\na.jpg,owl\n", {"tables": "t.csv; t.csv(image what) on id"}, "'id'"),
        ("image,what\na.jpg,owl\n", {"encoding": "utf-9"}, "unknown encoding 'utf-9'"),
        ("", {}, "has no header: it is empty"),
    ],
)
def test_one_error_says_what_to_do(text: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigError, DataError, DamagedError)) as caught:
        read_memory("table", {**TWO, "t.csv": text}, **options)
    assert message in str(caught.value)


@pytest.mark.parametrize("tables", ["", "(a)", "t.csv(a", "t.csv(a) of b", 7, [{}]])
def test_a_wrong_short_form_is_refused(tables: Any) -> None:
    with pytest.raises(ConfigError):
        read_memory("table", {**TWO, "t.csv": "image\na.jpg\n"}, tables=tables or [""])


BOX = {"pics/a.jpg#1": [10, 20, 40, 60], "pics/b.jpg": None}


@pytest.mark.parametrize(
    ("header", "row", "options"),
    [
        ("image,x1,y1,x2,y2", "a.jpg,10,20,40,60", {}),
        ("image,xmin,xmax,ymin,ymax", "a.jpg,10,40,20,60", {}),
        ("image,x_1,y_1,width,height", "a.jpg,10,20,30,40", {}),
        ("image,x,y,width,height", "a.jpg,10,20,30,40", {}),
        ("image,x,y,w,h,width,height", "a.jpg,10,20,30,40,100,100", {}),
        (
            "image_name,bbox_x,bbox_y,bbox_width,bbox_height,image_width,image_height",
            "a.jpg,10,20,30,40,400,200",
            {},
        ),
        ("image,cx,cy,w,h", "a.jpg,25,40,30,40", {}),
        ("image,x1,y1,x2,y2", "a.jpg,11,21,40,60", {"corners": "1-based"}),
        ("image,x1,y1,w,h", "a.jpg,11,21,30,40", {"corners": "1-based"}),
        ("image,x1,y1,x2,y2", "a.jpg,10,20,39,59", {"corners": "inclusive"}),
        ("image;bbox", "a.jpg;[10, 20, 40, 60]", {"box_format": "xyxy"}),
        ("image;bbox", "a.jpg;[10.0, 20.0, 30.0, 40.0]", {"box_format": "xywh"}),
        ("image;bbox", "a.jpg;11 21 30 40", {"box_format": "xywh", "corners": "1-based"}),
        ("image;where", "a.jpg;25,40,30,40", {"box": "where", "box_format": "cxcywh"}),
        ("image;bbox", 'a.jpg;{"x": 10, "y": 20, "width": 30, "height": 40}', {}),
        ("image;bbox", 'a.jpg;{"xmin": 10, "ymin": 20, "xmax": 40, "ymax": 60}', {}),
        ("image;bbox;width;height", "a.jpg;10 20 40 60;45;65", {}),
        ("image;polygon", "a.jpg;10 20 40 20 40 60", {}),
        ("image;segmentation", "a.jpg;[[10, 20, 40, 20], [40, 60]]", {}),
        ("image;outline", "a.jpg;[[10, 20], [40, 60]]", {"polygon": "outline"}),
        ("image;keypoints", "a.jpg;[10, 20, 2, 40, 60, 1, 0, 0, 0]", {}),
        (
            "filename;region_shape_attributes",
            'a.jpg;{"name":"polygon","all_points_x":[10,40],"all_points_y":[20,60]}',
            {},
        ),
        (
            "filename;region_shape_attributes",
            'a.jpg;{"name":"ellipse","cx":25,"cy":40,"rx":15,"ry":20}',
            {},
        ),
    ],
)
def test_every_form_of_a_box_is_read(header: str, row: str, options: dict[str, Any]) -> None:
    table = f"{header}\n{row.replace('{', '{')}\n"
    options = {"quote": "", "delimiter": ";", **options} if ";" in header else options
    result = read_memory("table", {**TWO, "t.csv": table}, **options)
    assert boxes(result) == BOX
    assert findings(result) == {}


def test_shares_are_an_option_and_a_finding() -> None:
    text = "image,x1,y1,x2,y2\na.jpg,0.1,0.2,0.4,0.6\n"
    result = read_memory("table", {**TWO, "t.csv": text})
    assert "--option unit=shares" in findings(result)["box-unit: t.csv"]
    result = read_memory("table", {**TWO, "t.csv": text}, unit="shares")
    assert (result.box_unit, findings(result)) == ("fractions", {})


def test_the_only_possible_order_of_numbers_is_taken() -> None:
    text = "image;bbox\na.jpg;10 20 40 60\na.jpg;50 60 10 10\n"
    result = read_memory("table", {**TWO, "t.csv": text})
    assert boxes(result)["pics/a.jpg#2"] == [50, 60, 60, 70]
    text = "image;bbox\na.jpg;10 20 40 60\n"
    result = read_memory("table", {**TWO, "t.csv": text})
    assert "box_format=xywh" in findings(result)["unread-boxes: t.csv: bbox"]
    assert rows(result, "bbox")["pics/a.jpg"] == "10 20 40 60"


def test_a_cell_may_have_several_boxes_and_labels() -> None:
    studio = (
        '[{""x"":10,""y"":20,""width"":30,""height"":40,""rotation"":0,'
        '""rectanglelabels"":[""Car""],""original_width"":400,""original_height"":200},'
        '{""points"":[[0,0],[50,50]],""polygonlabels"":[""Bus""],'
        '""original_width"":400,""original_height"":200}]'
    )
    text = f'image,label\na.jpg,"{studio}"\nb.jpg,"{{""class"": ""cat""}}"\n'
    result = read_memory("table", {**TWO, "t.csv": text})
    assert rows(result, "label") == {
        "pics/a.jpg#1": "Car",
        "pics/a.jpg#2": "Bus",
        "pics/b.jpg": "cat",
    }
    assert boxes(result)["pics/a.jpg#1"] == [40, 40, 160, 120]
    assert boxes(result)["pics/a.jpg#2"] == [0, 0, 200, 100]
    text = 'image,label\na.jpg,"{""a"": ""b"", ""c"": ""d""}"\nb.jpg,"[{""x"": 1}]"\n'
    result = read_memory("table", {**TWO, "t.csv": text})
    assert rows(result, "label") == {"pics/a.jpg": None, "pics/b.jpg": None}
    assert set(findings(result)) == {"bad-label: t.csv: line 2", "bad-label: t.csv: line 3"}


def test_a_cell_without_a_box_is_a_finding() -> None:
    text = "image;box\na.jpg;1 2 3\nb.jpg;\n"
    result = read_memory("table", {**TWO, "t.csv": text}, box="box", box_format="xyxy")
    assert findings(result) == {
        "bad-box: t.csv: line 2": "its cell has 3 numbers, not the 4 of a box"
    }


def test_columns_of_0_and_1_are_labels() -> None:
    text = "filename, cat, dog\na.jpg, 1, 0\nb.jpg, 1, 1\n"
    result = read_memory("table", {**TWO, "t.csv": text}, labels=["cat", "dog"])
    assert rows(result, "label", "labels") == {
        "pics/a.jpg": ["cat", ["cat"]],
        "pics/b.jpg": [None, ["cat", "dog"]],
    }
    assert list(findings(result)) == ["several-labels: t.csv"]
    advice = findings(read_memory("table", {**TWO, "t.csv": text}))["unread-labels: t.csv"]
    assert "--option labels='cat dog'" in advice
    text = "image,cat\na.jpg,1\nb.jpg,x\n"
    result = read_memory("table", {**TWO, "t.csv": text}, labels="cat")
    assert list(findings(result)) == ["bad-value: t.csv: line 3: cat"]


def test_an_image_may_have_several_texts() -> None:
    text = "image|n|text\na.jpg|0|One.\na.jpg|1|Two.\na.jpg|2|One.\nb.jpg|0|Three.\n"
    result = read_memory("table", {**TWO, "t.csv": text})
    assert rows(result, "text", "captions") == {
        "pics/a.jpg": ["One.", ["One.", "Two."]],
        "pics/b.jpg": ["Three.", ["Three."]],
    }
    assert set(findings(result)) == {"twin: t.csv: line 4", "two-values: t.csv: n"}


def test_lists_stay_lists_or_become_rows() -> None:
    text = 'image,tags\na.jpg,"red, blue"\nb.jpg,"[""a b"", 2]"\n'
    result = read_memory("table", {**TWO, "t.csv": text}, lists="tags")
    assert rows(result, "tags") == {"pics/a.jpg": ["red", "blue"], "pics/b.jpg": ["a b", "2"]}
    text = "label,images\n7,a.jpg b.jpg\n8,\n"
    table = {"file": "t.csv", "columns": {"images": "image"}, "explode": "image"}
    result = read_memory("table", {**TWO, "t.csv": text}, tables=[table])
    assert rows(result, "label") == {"pics/a.jpg": "7", "pics/b.jpg": "7"}
    assert list(findings(result)) == ["bad-row: t.csv: line 3"]


def test_a_list_of_labels() -> None:
    text = "image,label\na.jpg,cat\nb.jpg,cat dog\n"
    result = read_memory("table", {**TWO, "t.csv": text}, lists="label")
    assert rows(result, "label", "labels") == {
        "pics/a.jpg": ["cat", ["cat"]],
        "pics/b.jpg": [None, ["cat", "dog"]],
    }
    assert list(findings(result)) == ["several-labels: t.csv"]
    with pytest.raises(DataError, match="'image' is read as image, which is one value"):
        read_memory("table", {**TWO, "t.csv": text}, lists="image")


def test_tables_of_one_image_are_merged() -> None:
    tables: dict[str, bytes | str] = {
        "a.csv": "image,smiling\na.jpg,1\nb.jpg,0\n",
        "b.csv": "image,partition\na.jpg,0\nb.jpg,2\n",
        "c.csv": "image,x_1,y_1,width,height\na.jpg,10,20,30,40\n",
    }
    result = read_memory("table", {**TWO, **tables}, values="split: 0=train 1=val 2=test")
    assert rows(result, "split", "smiling") == {
        "pics/a.jpg#1": ["train", 1],
        "pics/b.jpg": ["test", 0],
    }
    assert findings(result) == {}
    unnamed = findings(read_memory("table", {**TWO, **tables}))["numbered-splits: b.csv"]
    assert 'values={"split": {"0": "train", "2": "val"}}' in unnamed


def test_what_no_row_names_is_left_over() -> None:
    result = read_memory("table", {**TWO, "t.csv": "image,colour\na.jpg,red\n"})
    assert [(part.what, part.count, part.examples) for part in result.left_over] == [
        ("images that no row names", 1, ("pics/b.jpg",)),
        ("columns without a meaning of their own, which are kept", 1, ("colour",)),
    ]
