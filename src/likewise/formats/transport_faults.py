"""Kinds of faults between this machine and a server, in the errors of several libraries.

The errors of these libraries share no type, so that their words are compared.
"""

import errno
import http
from typing import Literal

FaultKind = Literal["bucket", "missing", "refused", "busy", "broken", "unreached", ""]

_REFUSED = (
    "credential", "forbidden", "accessdenied", "access denied", "signature", "accesskey",
    "access key", "authentication", "permission denied", "not permitted", "unauthorized",
)  # fmt: skip
_BROKEN = (
    "connection not open", "connection lost", "connection closed", "connection reset",
    "connection was closed", "connection aborted", "disconnected", "broken pipe", "incomplete",
)  # fmt: skip
_UNREACHED = (
    "name or service not known", "name resolution", "could not connect", "connect call failed",
    "cannot connect", "connection refused", "unreachable", "timed out", "timeout",
)  # fmt: skip
"""Words in the errors of transport libraries, lower case."""


def fault_kind(error: BaseException) -> FaultKind:
    """Return the kind of a fault of a transport library; "" if it is none of them.

    Example:
        >>> fault_kind(PermissionError("Forbidden")), fault_kind(OSError("it is Tuesday"))
        ('refused', '')
    """
    text = f"{type(error).__name__} {' '.join(str(error).split())}".lower()
    if "bucket" in text and ("not exist" in text or "nosuchbucket" in text):
        return "bucket"
    if isinstance(error, FileNotFoundError):
        return "missing"
    if any(word in text for word in _REFUSED):
        return "refused"
    return _transient_kind(error, text)


def _transient_kind(error: BaseException, text: str) -> FaultKind:
    """Return the kind of a fault that a repetition may repair; "" for all others."""
    many = getattr(error, "status", None) == http.HTTPStatus.TOO_MANY_REQUESTS
    if many or getattr(error, "errno", None) == errno.EBUSY:  # s3fs reports it as EBUSY
        return "busy"
    if any(word in text for word in _BROKEN):
        return "broken"
    return "unreached" if any(word in text for word in _UNREACHED) else ""
