"""Queries of an image and a sentence on how the wanted image differs from it."""

import json

from known_miniatures import Miniature
from memory_files import images

_DRESS = [
    {"target": "B2", "candidate": "B1", "captions": ["is red", "is longer"]},
    {"target": "B9", "candidate": "B2", "captions": ["is blue", "is short"]},
    {"target": "B1", "candidate": "B8", "captions": ["is new", "is old"]},
    {"target": "B2", "candidate": "B1", "captions": ["is green", "is old"]},
]
_NIGHTS = "mbeir_images/nights_images"
_DEV, _ODD = "dev/dev-1-0-img0.png", "dev/dev-1-0-img1.png"

MINIATURES = {
    "fashion-iq": Miniature(
        {
            **images("images/B1.jpg", "images/B2.jpg", "images/B3.jpg", "images/stray.jpg"),
            "captions/cap.dress.val.json": json.dumps(_DRESS),
            "captions/cap.shirt.test.json": json.dumps(
                [{"candidate": "B3", "captions": ["is white", "has dots"]}]
            ),
            "image_splits/split.dress.val.json": '["B1", "B2"]',
            "image_splits/split.shirt.test.json": '["B3", "B1"]',
        },
        "role subset split text relevant",
        {
            "images/B1.jpg#1": ["gallery", "dress", "val", None, None],
            "images/B2.jpg#1": ["gallery", "dress", "val", None, None],
            "images/B3.jpg#1": ["gallery", "shirt", "test", None, None],
            "images/B1.jpg#2": ["gallery", "shirt", "test", None, None],
            "images/B1.jpg#3": [
                "query", "dress", "val", "is red and is longer", ["images/B2.jpg#1"],
            ],
            "images/B1.jpg#4": [
                "query", "dress", "val", "is green and is old", ["images/B2.jpg#1"],
            ],
            "images/B2.jpg#2": ["query", "dress", "val", "is blue and is short", None],
            "images/B3.jpg#2": ["query", "shirt", "test", "is white and has dots", None],
        },
        findings=frozenset(
            {
                "dangling: captions/cap.dress.val.json: entry 3",
                "unjoined: captions/cap.dress.val.json: item",
            }
        ),
        counts=frozenset(),
    ),
    "nights": Miniature(
        {
            **images(f"{_NIGHTS}/ref/1.jpg", f"{_NIGHTS}/distort/1_0.jpg", f"{_NIGHTS}/2.jpg"),
            "query/test/mbeir_nights_task4_test.jsonl": json.dumps(
                {"qid": "4:1", "query_txt": None, "query_img_path": f"{_NIGHTS}/ref/1.jpg",
                 "pos_cand_list": ["4:8"], "task_id": 4}
            ),
            "cand_pool/local/mbeir_nights_task4_cand_pool.jsonl": "\n".join(
                json.dumps({"did": did, "txt": None, "img_path": f"{_NIGHTS}/{name}"})
                for did, name in (("4:8", "distort/1_0.jpg"), ("4:9", "distort/1_1.jpg"))
            ),
            "qrels/test/mbeir_nights_task4_test_qrels.txt": "4:1 0 4:8 1 4\n",
        },
        "record role split relevant",
        {
            f"{_NIGHTS}/distort/1_0.jpg": ["4:8", "gallery", "test", None],
            f"{_NIGHTS}/ref/1.jpg": ["4:1", "query", "test", [f"{_NIGHTS}/distort/1_0.jpg"]],
        },
        findings=frozenset(
            {"dangling: cand_pool/local/mbeir_nights_task4_cand_pool.jsonl: line 2"}
        ),
        counts=frozenset({"incomplete: role query", "incomplete: role gallery"}),
    ),
    "cirr": Miniature(
        {
            **images(_DEV, _ODD, "test1/test1-0-0-img0.png"),
            "captions/cap.rc2.val.json": json.dumps(
                [
                    {
                        "pairid": 12060,
                        "reference": "dev-1-0-img1",
                        "target_hard": "dev-1-0-img0",
                        "target_soft": {"dev-1-0-img0": 1.0},
                        "caption": "Two dogs, not one.",
                        "img_set": {
                            "id": 1, "members": ["dev-1-0-img0", "dev-1-0-img1", "dev-9"],
                        },
                    }
                ]
            ),
            "captions/cap.rc2.test1.json": json.dumps(
                [{"pairid": 7, "reference": "test1-0-0-img0", "caption": "Another dog."}]
            ),
            "image_splits/split.rc2.val.json": json.dumps(
                {
                    "dev-1-0-img0": f"./{_DEV}",
                    "dev-1-0-img1": f"./{_ODD}",
                    "dev-1-0-img2": "./dev/absent.png",
                }
            ),
            "image_splits/split.rc2.test1.json": json.dumps(
                {"test1-0-0-img0": "./test1/test1-0-0-img0.png"}
            ),
        },
        "record role split text relevant members",
        {
            _DEV: ["dev-1-0-img0", "gallery", "val", None, None, None],
            f"{_ODD}#1": ["dev-1-0-img1", "gallery", "val", None, None, None],
            f"{_ODD}#2": [
                "12060", "query", "val", "Two dogs, not one.", [_DEV], [_DEV, f"{_ODD}#1"],
            ],
            "test1/test1-0-0-img0.png#1": [
                "test1-0-0-img0", "gallery", "test", None, None, None,
            ],
            "test1/test1-0-0-img0.png#2": ["7", "query", "test", "Another dog.", None, None],
        },
        findings=frozenset(
            {
                "dangling: image_splits/split.rc2.val.json: entry 3",
                "unjoined: captions/cap.rc2.val.json: members",
            }
        ),
        counts=frozenset({"incomplete: images"}),
    ),
}  # fmt: skip
