"""The application: the table of routes behind the guard."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from likewise.web.answers import error_answer, failure
from likewise.web.guard import Guard
from likewise.web.requests import Answer, LaneChoice, in_lane
from likewise.web.routes import (
    browse_routes,
    correct_routes,
    item_routes,
    job_routes,
    map_routes,
    picture_routes,
    review_routes,
    run_routes,
    search_routes,
    select_routes,
    set_routes,
    training_routes,
    version_routes,
)
from likewise.web.settings import Settings
from likewise.web.site import Site

STATIC = Path(str(resources.files("likewise.web"))) / "static"


class RouteEntry(NamedTuple):
    """A line of the table of routes; ``writes`` marks routes that read-only servers lack."""

    path: str
    answer: Answer
    lane: LaneChoice
    method: str = "GET"
    writes: bool = False


ROUTES: tuple[RouteEntry, ...] = (
    RouteEntry("/index.json", set_routes.sets, "table"),
    RouteEntry("/api/sets", set_routes.sets, "table"),
    RouteEntry("/d/{name}.json", browse_routes.page, "table"),
    RouteEntry("/api/d/{name}/page", browse_routes.page, "table"),
    RouteEntry("/api/d/{name}/facets", browse_routes.facets, "table"),
    RouteEntry("/api/d/{name}/scrubber", browse_routes.scrubber, "table"),
    RouteEntry("/api/d/{name}/groups", browse_routes.groups, "table"),
    RouteEntry("/api/d/{name}/positions", browse_routes.positions, "search"),
    RouteEntry("/d/{name}/i/{item:path}.json", item_routes.item, "table"),
    RouteEntry("/api/d/{name}/item/{item:path}", item_routes.item, "table"),
    RouteEntry("/api/d/{name}/context/{item:path}", item_routes.context, "slow"),
    RouteEntry("/api/d/{name}/why", item_routes.why, "encode"),
    RouteEntry("/d/{name}/search.json", search_routes.search, search_routes.lane),
    RouteEntry("/api/d/{name}/search", search_routes.search, search_routes.lane),
    RouteEntry("/api/d/{name}/search", search_routes.search_by_picture, "encode", "POST"),
    RouteEntry("/d/{name}/sketch.json", set_routes.one_set, "table"),
    RouteEntry("/api/d/{name}/sketch", search_routes.sketch, "encode", "POST"),
    RouteEntry("/eye/{upload}.png", search_routes.eye, "encode"),
    RouteEntry("/d/{name}/review.json", review_routes.review, "slow"),
    RouteEntry("/api/d/{name}/review", review_routes.review, "slow"),
    RouteEntry("/api/d/{name}/reviews", review_routes.judge, "write", "POST", writes=True),
    RouteEntry("/d/{name}/map.json", map_routes.maps, "table"),
    RouteEntry("/api/d/{name}/map", map_routes.maps, "table"),
    RouteEntry("/api/d/{name}/map/{map}/bounds", map_routes.bounds, "slow"),
    RouteEntry("/api/d/{name}/map/{map}/points", map_routes.points, "slow"),
    RouteEntry("/api/d/{name}/colours", map_routes.colours, "table"),
    RouteEntry("/api/d/{name}/legend", map_routes.legend, "table"),
    RouteEntry("/api/d/{name}/at", map_routes.at, "table"),
    RouteEntry("/d/{name}/versions.json", version_routes.versions, "slow"),
    RouteEntry("/api/d/{name}/versions", version_routes.versions, "slow"),
    RouteEntry("/d/{name}/diff.json", version_routes.diff, "slow"),
    RouteEntry("/api/d/{name}/diff", version_routes.diff, "slow"),
    RouteEntry("/training.json", training_routes.training, "slow"),
    RouteEntry("/api/training", training_routes.training, "slow"),
    RouteEntry("/leaderboard.json", training_routes.leaderboard, "slow"),
    RouteEntry("/api/leaderboard", training_routes.leaderboard, "slow"),
    RouteEntry("/compare/{first}/{second}.json", run_routes.compare, "slow"),
    RouteEntry("/api/compare/{first}/{second}", run_routes.compare, "slow"),
    RouteEntry("/report/{run}.html", run_routes.report, "table"),
    RouteEntry("/reports/{run}.json", run_routes.run_facts, "table"),
    RouteEntry("/t/{content}/{side:int}.jpg", picture_routes.thumb, "pictures"),
    RouteEntry("/img/{sha256}", picture_routes.image, "pictures"),
    RouteEntry("/api/d/{name}/pending", correct_routes.pending, "table"),
    RouteEntry("/api/d/{name}/labels", correct_routes.labels, "table"),
    RouteEntry(
        "/api/d/{name}/corrections", correct_routes.correct, "write", "POST", writes=True
    ),
    RouteEntry("/api/d/{name}/publish", correct_routes.publish, "table", "POST", writes=True),
    RouteEntry("/api/d/{name}/tags", select_routes.tags, "table"),
    RouteEntry("/api/d/{name}/tags", select_routes.tag, "write", "POST", writes=True),
    RouteEntry("/api/d/{name}/selections", select_routes.selections, "table"),
    RouteEntry("/api/d/{name}/selections", select_routes.select, "write", "POST", writes=True),
    RouteEntry("/d/{name}/suspects.json", select_routes.suspects, "table"),
    RouteEntry("/api/d/{name}/suspects", select_routes.suspects, "table"),
    RouteEntry("/api/d/{name}/suspects", select_routes.find_suspects, "table", "POST"),
    RouteEntry("/api/jobs/{job}/log", correct_routes.job_log, "table"),
    RouteEntry("/api/jobs", job_routes.jobs, "table"),
    RouteEntry("/api/jobs", job_routes.start, "table", "POST"),
    RouteEntry("/api/session", job_routes.session, "table", "POST"),
    RouteEntry("/", set_routes.shell("home"), "table"),
    RouteEntry("/d/{name}", set_routes.shell("browse"), "table"),
    RouteEntry("/d/{name}/i/{item:path}", set_routes.shell("item"), "table"),
    RouteEntry("/d/{name}/search", set_routes.shell("search"), "table"),
    RouteEntry("/d/{name}/sketch", set_routes.shell("sketch"), "table"),
    RouteEntry("/d/{name}/review", set_routes.shell("review"), "table"),
    RouteEntry("/d/{name}/map", set_routes.shell("map"), "table"),
    RouteEntry("/d/{name}/versions", set_routes.shell("versions"), "table"),
    RouteEntry("/d/{name}/diff", set_routes.shell("diff"), "table"),
    RouteEntry("/training", set_routes.shell("training"), "table"),
    RouteEntry("/leaderboard", set_routes.shell("leaderboard"), "table"),
    RouteEntry("/d/{name}/suspects", set_routes.shell("suspects"), "table"),
    RouteEntry("/compare/{first}/{second}", set_routes.shell("compare"), "table"),
    RouteEntry("/reports/{run}", set_routes.shell("report"), "table"),
)
"""Every route except the static files and the stream of events."""


def create_app(settings: Settings, entries: Sequence[RouteEntry] = ROUTES) -> Starlette:
    """Return the application of a server, with ``entries`` as its table of routes."""
    site = Site.build(settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        site.close()

    routes: list[BaseRoute] = [
        Route(entry.path, in_lane(entry.lane, entry.answer), methods=[entry.method])
        for entry in entries
        if not (entry.writes and settings.read_only)
    ]
    routes += [
        Route("/events", job_routes.events),
        Route("/favicon.ico", _favicon),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    application = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, settings=settings)],
        exception_handlers={HTTPException: _refuse, Exception: _fail},
        lifespan=lifespan,
    )
    application.state.site = site
    return application


async def _favicon(request: Request) -> Response:
    return FileResponse(STATIC / "favicon.svg", media_type="image/svg+xml")


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer an unknown address, or a method that its route does not have."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    wants_page = "text/html" in request.headers.get("accept", "")
    if status == 404 and wants_page and not request.url.path.startswith("/api/"):
        return await in_lane("table", set_routes.no_page)(request)
    return error_answer(status, "BadAddress", f"{request.method} {request.url.path}: no route")


async def _fail(request: Request, error: Exception) -> Response:
    return failure(error)
