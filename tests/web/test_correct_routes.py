"""The routes that correct values, list what is pending, and publish."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import forked
import likewise
from likewise.web import publishing
from likewise.web.jobs import Job, Jobs, Progress
from likewise.web.settings import Settings
from page_client import Page, opened

pytestmark = pytest.mark.torch

HOUSE, EYE = "0_noto.jpg", "200_noto.jpg"
ROUTE = "/api/d/emoji/corrections"


def relabelled(items: list[str], value: str | None, seen: str | None) -> dict[str, Any]:
    """The body of a change of labels."""
    return {"items": items, "values": {"label": value}, "expect": {"label": seen}}


def text(root: Path) -> bytes:
    """The bytes of the corrections; without a file, those of an empty one."""
    path = root / "catalog" / "emoji" / "corrections.csv"
    return path.read_bytes() if path.is_file() else b"item_id,column,value,was\n"


def test_the_page_writes_what_the_command_and_python_write(page: Page, workspace: Path) -> None:
    before = text(workspace)
    done = page.post(ROUTE, json=relabelled([HOUSE, EYE], "1000", None), status=409)
    seen = {"label": {HOUSE: "0", EYE: "200"}}
    done = page.post(
        ROUTE, json={"items": [HOUSE, EYE], "values": {"label": "1000"}, "expect": seen}
    )
    written = text(workspace)
    assert (done["changed"], done["corrections"]) == (4, 4), "labels and their texts"
    assert done["before"]["label"] == {HOUSE: "0", EYE: "200"}
    undone = {"items": [HOUSE, EYE], "values": done["before"], "expect": done["after"]}
    page.post(ROUTE, json=undone)
    assert text(workspace) == before
    likewise.correct("emoji", [HOUSE, EYE], {"label": "1000"}, expect=seen)
    assert text(workspace) == written
    likewise.correct("emoji", [HOUSE, EYE], done["before"], expect=done["after"])
    for item, label in seen["label"].items():
        words = ("correct", "emoji", item, "--label=1000", f"--expect={label}")
        assert forked.run(workspace, "likewise", *words).returncode == 0
    assert text(workspace) == written


def test_a_second_writer_gets_both_values(page: Page, workspace: Path) -> None:
    likewise.correct("emoji", [HOUSE], {"label": "400"})
    before = text(workspace)
    fault = page.post(ROUTE, json=relabelled([HOUSE, "0_fluent.jpg"], "200", "0"), status=409)
    assert fault["kind"] == "ChangedValueError"
    assert fault["changes"] == [
        {"item_id": HOUSE, "column": "label", "present": "400", "expected": "0"}
    ]
    assert text(workspace) == before


def test_what_is_pending_has_its_pictures_and_the_lines_to_run(
    page: Page, workspace: Path
) -> None:
    assert page.get("/api/d/emoji/pending")["rows"] == []
    page.post(ROUTE, json=relabelled([HOUSE], "1000", "0"))
    waiting = page.get("/api/d/emoji/pending")
    assert waiting["rows"][0] == [HOUSE, "label", "0", "1000"]
    assert (waiting["total"], waiting["corrections"]) == (2, 2)
    page.body(waiting["thumbs"][HOUSE])
    assert waiting["columns"] == ["label", "text", "subset", "split", "role"]
    assert waiting["command"] == "dvc repro --allow-missing --downstream publish@emoji"
    assert (
        waiting["commit"]
        == "git add catalog && git commit --message 'Correct 2 values of emoji'"
    )
    likewise.publish("emoji")
    assert page.get("/api/d/emoji/pending")["total"] == 0


def test_labels_are_found_by_a_few_letters(page: Page) -> None:
    def found(like: str) -> list[str]:
        return [one["value"] for one in page.get(f"/api/d/emoji/labels?like={like}")["labels"]]

    everything = page.get("/api/d/emoji/labels")
    assert everything["distinct"] == len(everything["labels"]) == 6
    assert found("200") == ["200"]
    assert found("00")[0] in {"1000", "200", "400", "600", "800"}
    assert found("1k") == []
    words = everything["labels"][0]
    assert found(words["text"][0] + words["text"][-1])  # letters in order
    assert page.get("/api/d/emoji/labels?like=1000")["exact"] is True
    assert page.get("/api/d/emoji/labels?like=100")["exact"] is False
    assert found("10001")[0] == "1000", "the nearest one"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": []},
        {"items": [HOUSE], "values": {"label": "1"}},
        {"items": [HOUSE], "values": {"label": "1"}, "expect": {"text": "house"}},
        {"items": HOUSE, "values": {"label": "1"}, "expect": {"label": "0"}},
        {"items": [HOUSE] * 3 + [5], "values": {"label": "1"}, "expect": {"label": "0"}},
        {"items": [HOUSE], "values": {"label": 1}, "expect": {"label": "0"}},
        {"items": [HOUSE], "values": {"label": ["1"]}, "expect": {"label": "0"}},
        {"items": [HOUSE], "values": {"label": {EYE: "1"}}, "expect": {"label": "0"}},
        {"items": [HOUSE], "values": {}, "expect": {"label": "0"}},
        relabelled([HOUSE], "1\x00", "0"),
        relabelled([HOUSE], "1\x1b[2J", "0"),
        relabelled([HOUSE], "1\r\n2", "0"),
        relabelled([HOUSE], "\ud800", "0"),
        relabelled([HOUSE], "x" * 10_001, "0"),
        relabelled([f"{number}.jpg" for number in range(10_001)], "1", "0"),
        relabelled(["../../params.yaml"], "1", "0"),
        relabelled(["0_noto.jpg\x00"], "1", "0"),
        {"items": [HOUSE], "values": {"content": "x"}, "expect": {"content": "x"}},
        {"items": [HOUSE], "values": {"box": "1,1,2,2"}, "expect": {"box": None}},
        {"items": [HOUSE], "values": {"../label": "1"}, "expect": {"../label": "0"}},
    ],
)
def test_a_body_of_another_form_changes_nothing(
    page: Page, workspace: Path, body: dict[str, Any]
) -> None:
    before = text(workspace)
    content = json.dumps(body)
    kind = {"content-type": "application/json"}
    fault = page.post(ROUTE, content=content, headers=kind, status=422)
    assert fault["what"]
    assert text(workspace) == before


def test_a_view_is_corrected_in_its_data_set(workspace: Path) -> None:
    params = workspace / "params.yaml"
    params.write_text(
        params.read_text("utf-8") + "filtered:\n  houses: {of: emoji, where: label = '0'}\n"
    )
    likewise.view("houses")
    with opened() as page:
        done = page.post("/api/d/houses/corrections", json=relabelled([HOUSE], "400", "0"))
        assert (done["dataset"], done["file"]) == ("emoji", "catalog/emoji/corrections.csv")
        assert page.get("/api/d/houses/pending")["base"] == "emoji"


def test_publishing_is_a_job_with_a_log(recorded: Path, forked_python: None) -> None:
    likewise.correct("emoji", ["0_fluent.jpg"], {"label": "1000"})
    before = likewise.show("emoji").runs[0].metrics
    with opened() as page:
        version = page.get("/api/d/emoji/page")["v"]
        job = page.post("/api/d/emoji/publish", json={}, status=202)["id"]
        answer = page.ended(job)
        assert answer["job"]["state"] == "done", answer
        lines = answer["lines"]
        assert lines[0] == "$ dvc repro --allow-missing --downstream publish@emoji"
        assert any("likewise evaluate emoji-tiny" in line for line in lines)
        after = likewise.show("emoji").runs[0].metrics
        assert before
        assert after
        assert before != after
        (name, value) = next(iter(after.items()))
        assert answer["job"]["result"]["runs"] == [
            {"run": "emoji-tiny", "metric": name, "before": before[name], "after": value}
        ]
        assert page.get(f"/api/jobs/{job}/log?after={len(lines)}")["lines"] == []
        assert page.get("/api/d/emoji/pending")["total"] == 0
        assert page.get("/api/d/emoji/page")["v"] != version
        page.refused("/api/jobs/none/log", 404)


def test_a_job_that_fails_says_why(workspace: Path, forked_python: None) -> None:
    with opened() as page:  # the folder has no DVC
        job = page.post("/api/d/emoji/publish", json={}, status=202)["id"]
        failed = page.ended(job)["job"]
    assert failed["state"] == "failed"
    assert "DVC" in failed["error"]["what"]
    assert failed["error"]["next"] == "dvc repro --allow-missing --downstream publish@emoji"


def test_a_long_log_is_read_to_its_end() -> None:
    def work(progress: Progress) -> None:
        for number in range(2_500):
            progress(None, str(number))

    jobs = Jobs()
    job = jobs.start(Job("", "warm", "emoji", None, None), work).id
    while jobs.all()[0]["state"] != "done":
        time.sleep(0.01)
    lines = [str(number) for number in range(2_500)]
    for after in (0, 499, 2_400, 2_500, 9_999):
        found = jobs.log(job, after)
        assert found
        assert found[1:] == (lines[max(500, after) :], 2_500)
    jobs.close()


def test_a_server_that_ends_interrupts_what_it_has_started() -> None:
    jobs = Jobs()
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        jobs.on_close(lambda: publishing.interrupt(process))
        jobs.close()
        assert process.wait(60) == -signal.SIGINT
    publishing.interrupt(process)  # it has ended, so nothing is done
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        jobs.on_close(lambda: publishing.interrupt(process))  # it began while the server ended
        assert process.wait(60) == -signal.SIGINT


def test_a_read_only_page_lists_and_changes_nothing(workspace: Path) -> None:
    before = text(workspace)
    with opened(Settings(port=8642, read_only=True)) as page:
        page.post(ROUTE, json=relabelled([HOUSE], "400", "0"), status=404)
        for name, status in (("publish", 404), ("tags", 405), ("selections", 405)):
            page.post(f"/api/d/emoji/{name}", json={"items": [HOUSE]}, status=status)
        assert page.get("/api/d/emoji/pending")["total"] == 0
    assert text(workspace) == before
