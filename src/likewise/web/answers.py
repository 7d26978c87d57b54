"""Answers of the routes: JSON, arrays of positions, pictures and errors."""

import json
import logging
import math
import secrets
from dataclasses import asdict, is_dataclass
from typing import Any

from starlette.responses import Response

from likewise.errors import (
    ChangedValueError,
    ConfigError,
    DataError,
    LikewiseError,
    MissingArtefactError,
    MissingExtraError,
    StaleArtefactError,
    UnknownNameError,
    UnknownOptionError,
    VersionError,
)

log = logging.getLogger("likewise.web")

STATUS: tuple[tuple[type[LikewiseError], int], ...] = (
    (ChangedValueError, 409),
    (UnknownNameError, 404),
    (StaleArtefactError, 409),
    (MissingArtefactError, 409),
    (MissingExtraError, 501),
    (VersionError, 502),
    (UnknownOptionError, 422),
    (ConfigError, 422),
    (DataError, 422),
)
"""HTTP status of each class of errors; the first class that fits counts."""


class RefusedError(Exception):
    """A request that the server refuses: status, kind, reason, and the next step."""

    def __init__(
        self, status: int, kind: str, what: str, *, next_step: str | None = None, wait: int = 0
    ) -> None:
        """Keep the fields of the answer; ``wait`` is the time before a new try in seconds."""
        super().__init__(what)
        self.status = status
        self.kind = kind
        self.what = what
        self.next_step = next_step
        self.wait = wait

    def answer(self) -> Response:
        """Return the answer that reports the refusal."""
        answer = error_answer(self.status, self.kind, self.what, self.next_step)
        if self.wait:
            answer.headers["retry-after"] = str(self.wait)
        return answer


def bad_request(what: str) -> RefusedError:
    """Return the error for a wrong parameter."""
    return RefusedError(422, "BadRequest", what)


def json_answer(content: Any, *, status: int = 200, version: str | None = None) -> Response:
    """Return ``content`` as JSON; NaN and infinite numbers become null."""
    try:
        text = _encoder.encode(content)
    except (ValueError, TypeError):  # a number that JSON lacks, or a key of another type
        text = _encoder.encode(plain(content))
    headers = {"cache-control": "no-cache"} | ({"x-version": version} if version else {})
    body = text.encode("utf-8", "backslashreplace")
    return Response(body, status, headers, "application/json")


def error_answer(
    status: int, kind: str, what: str, next_step: str | None = None, **further: Any
) -> Response:
    """Return an error as JSON: its kind, the reason, the next step, and further facts."""
    content = {"kind": kind, "what": what, "next": next_step, **further}
    return json_answer(content, status=status)


def _changes(error: ChangedValueError) -> dict[str, Any]:
    """Return the values that another writer has changed: the present and the expected ones."""
    names = ("item_id", "column", "present", "expected")
    return {"changes": [dict(zip(names, one, strict=True)) for one in error.changes]}


def failure(error: BaseException) -> Response:
    """Return the answer for an exception; a bug gets a number, and its traceback is logged."""
    if isinstance(error, RefusedError):
        return error.answer()
    for kind, status in STATUS:
        if isinstance(error, kind):
            what = str(error)
            command = getattr(error, "command", None)
            if command:
                what = what.removesuffix(f"; run: {command}")
            further = _changes(error) if isinstance(error, ChangedValueError) else {}
            step = command or _command(what)
            return error_answer(status, kind.__name__, what, step, **further)
    if isinstance(error, LikewiseError):
        return error_answer(422, type(error).__name__, str(error))
    number = secrets.token_hex(4)
    log.error("error %s", number, exc_info=error)
    what = f"the server failed; its log has the reason under the number {number}"
    return json_answer(
        {"kind": "Bug", "what": what, "next": None, "number": number}, status=500
    )


def _command(what: str) -> str | None:
    """Return the command at the end of a message, if it has one."""
    _, run, command = what.rpartition("run: ")
    return command.strip() if run else None


def plain(value: Any) -> Any:
    """Return ``value`` as types that JSON has; numbers that it lacks become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    return plain(value.item()) if hasattr(value, "item") else str(value)


_encoder = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=plain
)
