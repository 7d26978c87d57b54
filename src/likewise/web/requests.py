"""Connect functions that answer requests with the lanes in which they run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

import likewise
from likewise.web import parameters
from likewise.web.answers import RefusedError, bad_request, failure

if TYPE_CHECKING:
    from likewise.web.shelf import Opened
    from likewise.web.site import Site

MOST_BYTES = 16 << 20
"""Maximum size of the body of a request."""


@dataclass(frozen=True)
class Call:
    """A request as the routes read it.

    Attributes:
        site: the state of the server.
        path: values of the placeholders in the path.
        query: the query string.
        body: bytes of the body.
        content_type: type of the body.
    """

    site: "Site"
    path: dict[str, Any]
    query: QueryParams
    body: bytes = b""
    content_type: str = ""

    @cached_property
    def opened(self) -> "Opened":
        """The version of the data set in the path that the request reads."""
        return self.site.shelf.get(
            self.path["name"],
            parameters.text(self.query, "v"),
            parameters.text(self.query, "rev"),
        )

    @cached_property
    def base(self) -> str:
        """The data set in the path; of a view, that of the view. It has the texts of people.

        Raises:
            UnknownNameError: there is no such data set.
        """
        name: str = self.path["name"]
        opened = self.site.shelf.newest(name)
        if "base" not in opened.cache:
            summaries = likewise.datasets(workspace=self.site.workspace)
            views = {one.dataset: one.view_of for one in summaries}
            opened.cache["base"] = views.get(name) or name
        base: str = opened.cache["base"]
        return base

    @cached_property
    def selection(self) -> parameters.RowSelection:
        """The filter and the order."""
        return parameters.selection(self.query)


Answer = Callable[[Call], Response]
Endpoint = Callable[[Request], Awaitable[Response]]
LaneChoice = str | Callable[[QueryParams], str]
"""The name of a lane, or a function that chooses one by the query string."""


def in_lane(lane: LaneChoice, answer: Answer) -> Endpoint:
    """Return an endpoint that runs ``answer`` in a lane; every error becomes an answer."""

    async def endpoint(request: Request) -> Response:
        try:
            site: Site = request.app.state.site
            body = await _body(request) if request.method == "POST" else b""
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            call = Call(site, request.path_params, request.query_params, body, kind)
            name = lane if isinstance(lane, str) else lane(request.query_params)
            return await site.lanes.run(name, answer, call)
        except Exception as error:  # noqa: BLE001 (bugs are logged under a number)
            return failure(error)

    return endpoint


async def _body(request: Request) -> bytes:
    """Read the body, and stop at the first byte above the limit.

    Raises:
        RefusedError: the body is too large.
    """
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MOST_BYTES:
        raise too_large()
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise too_large()
        parts.append(part)
    return b"".join(parts)


def too_large() -> RefusedError:
    """Return the error for a body above the limit."""
    what = f"the body is larger than {MOST_BYTES >> 20} MiB; send a smaller picture"
    return RefusedError(413, "TooLarge", what)


def json_body(call: Call) -> dict[str, Any]:
    """Return the JSON object in the body.

    Raises:
        RefusedError: the body is not a JSON object.
    """
    import json

    if call.content_type != "application/json":
        raise RefusedError(415, "UnsupportedType", "the body must be application/json")
    try:
        content = json.loads(call.body)
    except (ValueError, RecursionError) as error:
        raise bad_request("the body is not JSON") from error
    if not isinstance(content, dict):
        raise bad_request("the body is not a JSON object")
    return content
