"""Routes of jobs, events and the token."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from likewise.errors import LikewiseError
from likewise.web.answers import RefusedError, bad_request, failure, json_answer
from likewise.web.columns import facet_columns
from likewise.web.guard import equal_secrets
from likewise.web.jobs import Job, Progress
from likewise.web.requests import Call, json_body
from likewise.web.shelf import Opened
from likewise.web.site import Site

POLL_SECONDS = 0.25
ALIVE_SECONDS = 15.0
CHECK_SECONDS = 2.0
"""Intervals of a stream: to look for events, to show that it lives, to look for versions."""


def jobs(call: Call) -> Response:
    """Answer the last jobs."""
    return json_answer({"jobs": call.site.jobs.all()})


def start(call: Call) -> Response:
    """Start a job of a known kind.

    Raises:
        RefusedError: the kind or a name is not a text that is known.
    """
    given = json_body(call)
    if given.get("kind") != "warm":
        raise bad_request(f"kind is {given.get('kind')!r:.40}; it is warm")
    name, model = _name(given, "dataset"), _name(given, "model")
    index = _name(given, "index") if given.get("index") else "exact"
    opened = call.site.shelf.newest(name)
    opened.dataset.need_model(model)
    encoder, text = given.get("encoder") is True, given.get("text") is True
    kind = "warm" + " encoder" * encoder + " text" * text  # each is a job of its own
    job = Job("", kind, name, model, index)

    def work(progress: Progress) -> None:
        warm(opened, model, index, progress, encoder=encoder, text=text)

    return json_answer({"id": call.site.jobs.start(job, work).id}, status=202)


def _name(given: dict[str, Any], field: str) -> str:
    value = given.get(field)
    if not isinstance(value, str) or not value or len(value) > 200:
        raise bad_request(f"{field}: give a name")
    return value


def warm(
    opened: Opened,
    model: str,
    index: str,
    progress: Progress,
    *,
    encoder: bool,
    text: bool = False,
) -> None:
    """Open the index of a model, and load its towers, so that the next search is fast."""
    progress(0.1, f"reading the vectors of {model}")
    opened.dataset.warm(facet_columns(opened), model=model, index=index)
    if encoder:
        progress(0.5, f"loading the model {model}")
        opened.dataset.warm(model=model, index=index, encoder=True)
    if text:
        progress(0.7, f"loading the text tower of {model}")
        opened.dataset.warm(model=model, index=index, text=True)


def session(call: Call) -> Response:
    """Exchange the token for a cookie.

    Raises:
        RefusedError: 401; the token is wrong.
    """
    settings = call.site.settings
    given = json_body(call).get("token")
    if not settings.token:
        return Response(status_code=204)
    if not isinstance(given, str) or not equal_secrets(given, settings.token):
        raise RefusedError(401, "TokenNeeded", "the token is wrong")
    answer = Response(status_code=204)
    path = settings.root_path or "/"
    answer.set_cookie(
        settings.cookie, settings.session, path=path, httponly=True, samesite="strict"
    )
    return answer


async def events(request: Request) -> Response:
    """Stream new versions and the progress of jobs."""
    site: Site = request.app.state.site
    headers = {"cache-control": "no-store"}
    return StreamingResponse(
        _stream(site, request), headers=headers, media_type="text/event-stream"
    )


async def _stream(site: Site, request: Request) -> AsyncIterator[str]:
    """Name all jobs and versions once, and then what changes: no client misses an event."""
    loop = asyncio.get_running_loop()
    alive = loop.time()
    looked = alive - CHECK_SECONDS  # a new stream names the versions at once
    sent: dict[str, str] = {}
    yield ": connected\n\n"
    number = site.jobs.last_number
    for job in site.jobs.all():
        yield f"event: job\ndata: {json.dumps(job)}\n\n"
    while not site.stops() and not await request.is_disconnected():
        for event in site.jobs.events_after(number):
            number = event.number
            data = json.dumps(event.content)
            yield f"event: {event.name}\ndata: {data}\n\n"
            alive = loop.time()
        if loop.time() - looked >= CHECK_SECONDS:
            looked = loop.time()
            for name, version in (await _newest_versions(site)).items():
                if sent.get(name) != version:
                    sent[name] = version
                    data = json.dumps({"dataset": name, "v": version})
                    yield f"event: version\ndata: {data}\n\n"
                    alive = loop.time()
        if loop.time() - alive >= ALIVE_SECONDS:
            alive = loop.time()
            yield ": alive\n\n"
        await asyncio.sleep(POLL_SECONDS)


async def _newest_versions(site: Site) -> dict[str, str]:
    """Return them as far as they can be read now; the next look finds the others."""
    try:
        return await site.lanes.run("slow", newest_versions, site)
    except Exception as error:  # noqa: BLE001 (a bug is logged, and the stream goes on)
        failure(error)
        return {}


def newest_versions(site: Site) -> dict[str, str]:
    """Return the version that is checked out of every open data set.

    A stream compares them with those that it sent, so that no client depends on the moment
    at which its stream began.
    """
    versions = {}
    for name in site.shelf.names:
        with contextlib.suppress(LikewiseError):  # it is being replaced, or was removed
            versions[name] = site.shelf.newest(name).version
    return versions
