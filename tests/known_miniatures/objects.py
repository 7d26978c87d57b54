"""Objects, vehicles and clothes; and small pictures in Parquet."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq

from known_miniatures import Miniature
from memory_files import images

_TOP = "Img/img/TOPS/T_Shirt"


def _cifar(column: str, names: list[str], *labels: int, **others: list[int]) -> bytes:
    """Return a Parquet file of pictures with class numbers, as Hugging Face writes it."""
    pictures = [{"bytes": b"picture", "path": None} for _ in labels]
    table = pa.table({"img": pictures, column: list(labels), **others})
    features = {"info": {"features": {column: {"names": names, "_type": "ClassLabel"}}}}
    stream = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(features)}), stream)
    return stream.getvalue()


def _split(top: str, split: str) -> str:
    return f"{top}{split}-00000-of-00001.parquet"


MINIATURES = {
    "vehicleid": Miniature(
        {
            **images("V/image/0000001.jpg", "V/image/0000002.jpg", "V/image/0000003.jpg",
                     "V/image/0000004.jpg"),
            "V/train_test_split/train_list.txt": "0000001 7\n",
            "V/train_test_split/test_list_13164.txt": "0000002 8\n0000003 8\n0000009 9\n",
            "V/train_test_split/test_list_2400.txt": "0000002 8\n0000003 8\n",
            "V/train_test_split/test_list_1600.txt": "0000002 8\n",
            "V/train_test_split/test_list_800.txt": "",
            "V/attribute/color_attr.txt": "7 1\n",
        },
        "label split large medium",
        {
            "V/image/0000001.jpg": ["7", "train", None, None],
            "V/image/0000002.jpg": ["8", "test", True, True],
            "V/image/0000003.jpg": ["8", "test", True, None],
        },
        findings=frozenset({"dangling: V/train_test_split/test_list_13164.txt: line 3"}),
        counts=frozenset({"incomplete: split train"}),
    ),
    "instre": Miniature(
        {
            **images("INSTRE-S1/01a_canada_book/013.jpg", "INSTRE-S2/a_cup/001.jpg",
                     "INSTRE-M/01_pair/001.jpg", "INSTRE-M/01_pair/odd.jpg"),
            "INSTRE-S1/01a_canada_book/013.txt": "1 2 3 4\n",
        },
        "label subset",
        {
            "INSTRE-S1/01a_canada_book/013.jpg": ["01a_canada_book", "S1"],
            "INSTRE-S2/a_cup/001.jpg": ["a_cup", "S2"],
            "INSTRE-M/01_pair/001.jpg": ["01_pair", "M"],
        },
        findings=frozenset({"bad-name: INSTRE-M/01_pair/odd.jpg"}),
        counts=frozenset({"incomplete: subset M"}),
    ),
    "deepfashion-consumer-to-shop": Miniature(
        {
            **images(f"{_TOP}/id_00000218/comsumer_01.jpg", f"{_TOP}/id_00000218/shop_01.jpg",
                     f"{_TOP}/id_00000219/comsumer_01.jpg", f"{_TOP}/id_00000219/front.jpg"),
            "Eval/list_eval_partition.txt": (
                "4\nimage_pair_name_1 image_pair_name_2 item_id evaluation_status\n"
                "img/a/comsumer_01.jpg img/a/shop_01.jpg id_00000218 train\n"
                "img/a/comsumer_02.jpg img/a/shop_01.jpg id_00000218 train\n"
                "img/b/comsumer_01.jpg img/b/shop_01.jpg id_00000219 test\n"
                "img/b/comsumer_01.jpg img/b/shop_01.jpg id_00000219 val\n"
            ),
            "Anno/list_item_consumer2shop.txt": "1\nid_00000218\n",
        },
        "label role split category",
        {
            f"{_TOP}/id_00000218/comsumer_01.jpg": [
                "id_00000218", "query", "train", "TOPS/T_Shirt",
            ],
            f"{_TOP}/id_00000218/shop_01.jpg": [
                "id_00000218", "gallery", "train", "TOPS/T_Shirt",
            ],
            f"{_TOP}/id_00000219/comsumer_01.jpg": [
                "id_00000219", "query", "test", "TOPS/T_Shirt",
            ],
        },
        findings=frozenset(
            {
                f"bad-name: {_TOP}/id_00000219/front.jpg",
                "twin: Eval/list_eval_partition.txt: line 6",
            }
        ),
        archives={"Img/img.zip": "Img/"},
        counts=frozenset({"incomplete: images"}),
    ),
    "cifar-10": Miniature(
        {
            _split("plain_text/", "train"): _cifar("label", ["airplane", "cat"], 1, 0),
            _split("plain_text/", "test"): _cifar("label", ["airplane", "cat"], 0, -1),
        },
        "label split",
        {
            f"{_split('plain_text/', 'train')}/00000000": ["cat", "train"],
            f"{_split('plain_text/', 'train')}/00000001": ["airplane", "train"],
            f"{_split('plain_text/', 'test')}/00000000": ["airplane", "test"],
            f"{_split('plain_text/', 'test')}/00000001": [None, "test"],
        },
        counts=frozenset({"incomplete: split test"}),
    ),
    "cifar-100": Miniature(
        {
            _split("", "train"): _cifar("fine_label", ["apple", "bus"], 1, coarse_label=[3]),
            _split("", "test"): _cifar("fine_label", ["apple", "bus"], 0, coarse_label=[4]),
        },
        "label split coarse_label",
        {
            f"{_split('', 'train')}/00000000": ["bus", "train", 3],
            f"{_split('', 'test')}/00000000": ["apple", "test", 4],
        },
        counts=frozenset({"incomplete: split train"}),
    ),
}  # fmt: skip
