"""Routes that correct values: the change, what is not published yet, labels, publishing."""

import shlex
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from starlette.responses import Response

import likewise
from likewise.formats.counted_nouns import counted
from likewise.web import bodies, grid_rows, parameters, picture_urls, publishing
from likewise.web.answers import bad_request, json_answer
from likewise.web.jobs import Job, Progress, Result
from likewise.web.label_words import label_words
from likewise.web.parameters import RowSelection
from likewise.web.requests import Call, json_body
from likewise.web.shelf import Opened

MOST_PENDING = 20_000
"""Largest number of corrections of an answer."""

_PICTURED = 100
"""Number of corrected items whose pictures an answer names."""

_SEARCHED = 20_000
"""Largest number of labels among which similar ones are searched."""

LabelCounts = list[tuple[str, int]]
"""Labels and numbers of items, most frequent first."""


def correct(call: Call) -> Response:
    """Replace values that are present as the page has seen them.

    The body has ``items``, ``values`` and ``expect``: the values that the page has shown, of
    every column in ``values``. Without them, a change of a colleague would be lost.

    Raises:
        RefusedError: the body has another form.
        ChangedValueError: another value is present; nothing was changed.
    """
    given = json_body(call)
    items = bodies.item_ids(given)
    values = bodies.column_values(given, "values", items)
    expect = bodies.column_values(given, "expect", items)
    if unseen := values.keys() - expect.keys():
        raise bad_request(f"expect: give the present value of {min(unseen)[:40]}")
    done = likewise.correct(
        call.base, items, values, expect=expect, workspace=call.site.workspace
    )
    return json_answer(vars(done))


def pending(call: Call) -> Response:
    """Answer the corrections that are not published yet, and what to run to keep them."""
    opened = call.opened
    waiting = likewise.pending(call.base, workspace=call.site.workspace)
    rows = [
        (one.item_id, one.column, one.published, one.corrected)
        for one in waiting.rows[:MOST_PENDING]
    ]
    shown = list(dict.fromkeys(item for item, *_ in rows))[:_PICTURED]
    pictures = picture_urls.pictured(call.site, opened, shown)
    content = {
        "dataset": opened.name,
        "base": waiting.dataset,
        "v": opened.version,
        "file": waiting.file,
        "command": shlex.join(publishing.command(waiting.dataset)),
        "commit": _commit_line(call, len(waiting.rows), waiting.dataset),
        "corrections": waiting.corrections,
        "total": len(waiting.rows),
        "rows": rows,
        "thumbs": {item: one["thumb"] for item, one in pictures.items()},
        "unknown": waiting.unknown[:_PICTURED],
        "columns": waiting.columns,
    }
    return json_answer(content, version=opened.version)


def _commit_line(call: Call, number: int, dataset: str) -> str:
    """Return the command that commits the corrections, and results that depend on them."""
    root = likewise.open(workspace=call.site.workspace).root
    paths = [name for name in ("catalog", "reports", "dvc.lock") if (root / name).exists()]
    words = f"Correct {counted(number, 'value')} of {dataset}"
    message = words if number else f"Correct {dataset}"
    return f"git add {shlex.join(paths)} && git commit --message {shlex.quote(message)}"


def labels(call: Call) -> Response:
    """Answer the labels that are most like a text, and whether it is one itself."""
    opened = call.opened
    like = (parameters.text(call.query, "like") or "").strip()
    limit = parameters.number(call.query, "limit", 30, 1, 200)
    known, words = _label_counts(opened), label_words(opened)
    ranked = sorted(
        (rank, -count, label)
        for label, count in known
        if (rank := _rank(like, label, words.get(label))) is not None
    )
    similar = [label for _, _, label in ranked[:limit]]
    if not similar and len(known) <= _SEARCHED:
        similar = get_close_matches(like, [label for label, _ in known], 5, 0.5)
    counts = dict(known)
    content = {
        "labels": [
            {"value": label, "text": words.get(label), "count": counts[label]}
            for label in similar
        ],
        "exact": like in counts,
        "distinct": len(known),
    }
    return json_answer(content, version=opened.version)


def _label_counts(opened: Opened) -> LabelCounts:
    """Return the published labels of a data set."""
    if "labels" not in opened.cache:
        _, counted = grid_rows.counts(opened, RowSelection(), ["label"])
        rows = counted["label"].drop_nulls("value").rows()
        opened.cache["labels"] = [(str(label), int(count)) for label, count in rows]
    known: LabelCounts = opened.cache["labels"]
    return known


def _rank(like: str, label: str, words: str | None) -> int | None:
    """Return how well a label fits a text, 0 is best; None if it does not."""
    ranks = [_rank_text(like.lower(), text.lower()) for text in (label, words) if text]
    return min((rank for rank in ranks if rank is not None), default=None)


def _rank_text(like: str, text: str) -> int | None:
    if text == like:
        return 0
    if text.startswith(like):
        return 1
    if f" {like}" in text or f"_{like}" in text or f"-{like}" in text:
        return 2
    if like in text:
        return 3
    letters = iter(text)
    return 4 if all(letter in letters for letter in like) else None


def publish(call: Call) -> Response:
    """Start the stages that depend on the corrections, as a job with a log."""
    json_body(call)
    base, workspace = call.base, call.site.workspace

    def work(progress: Progress) -> Result:
        return publishing.publish(workspace, base, progress, call.site.jobs.on_close)

    job = call.site.jobs.start(Job("", "publish", base, None, None), work)
    return json_answer({"id": job.id}, status=202)


def job_log(call: Call) -> Response:
    """Answer a job and the lines of its log from ``after`` on.

    Raises:
        RefusedError: 404; there is no such job.
    """
    after = parameters.number(call.query, "after", 0, 0, 1 << 30)
    known = call.site.jobs.log(call.path["job"], after)
    if known is None:
        raise publishing.no_job()
    content: Mapping[str, Any] = dict(zip(("job", "lines", "next"), known, strict=True))
    return json_answer(content)
