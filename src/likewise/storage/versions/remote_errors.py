"""Errors between a cache and a remote, as one line with a remedy."""

import errno
import http

from likewise.errors import (
    LikewiseError,
    MissingExtraError,
    VersionError,
    cannot_write,
)

_EXTRAS = ("s3", "ssh")
"""Kinds of remotes for which likewise has an extra of the same name."""

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
"""Words in the errors of transport libraries, lower case; their errors share no type."""

DVC_BUSY = (
    "another process of DVC, such as dvc repro, has locked this catalogue; wait for its end, "
    "then run the same command again"
)
"""Text of the error where a lock of DVC is held."""


def remote_fault(error: BaseException, place: str, name: str = "NAME") -> LikewiseError:
    """Return the error to raise for an ``error`` of DVC at ``place`` on the remote ``name``."""
    if isinstance(error, ImportError):  # "ssh is supported, but requires 'dvc-ssh' ..."
        kind = str(error).partition(" ")[0]
        extra = f"likewise[{kind}]" if kind in _EXTRAS else f"dvc[{kind}]"
        return MissingExtraError(f"{place}: {error}; run: pip install '{extra}'")
    return VersionError(f"{place}: {one_line(error, name)}")


def no_remote(name: str | None, known: list[str]) -> VersionError:
    """Return the error for a missing remote; it lists the existing ones."""
    if name:
        return VersionError(f"no remote {name!r}; there are: {', '.join(known) or 'none'}")
    if known:
        return VersionError(
            f"no default remote; run: dvc remote default {known[0]}, or name one of: "
            + ", ".join(known)
        )
    return VersionError("there is no remote; run: dvc remote add -d NAME URL")


def one_line(error: BaseException, name: str = "NAME") -> str:
    """Return an error of a library as one line, with the usual remedy."""
    text = cannot_write(error) or " ".join(str(error).split()) or type(error).__name__
    low = f"{type(error).__name__} {text}".lower()
    if "bucket" in low and ("not exist" in low or "nosuchbucket" in low):
        return f"there is no such bucket ({text}); {_address(name)}"
    if isinstance(error, FileNotFoundError):
        return f"{text}; check the address and its files: dvc remote list"
    if any(word in low for word in _REFUSED):
        return (
            f"access refused ({text}); check your access rights, and the user, key or "
            f"credentials: dvc remote modify --local {name} OPTION VALUE"
        )
    if message := _transient_fault(error, text, low):
        return message
    if any(word in low for word in _UNREACHED):
        return f"it cannot be reached ({text}); is it up? {_address(name)}"
    return text


def _transient_fault(error: BaseException, text: str, low: str) -> str:
    """Return the message for a transient fault; "" for other errors."""
    if type(error).__name__ == "LockError":  # of DVC; its own text has four lines
        return DVC_BUSY
    many = getattr(error, "status", None) == http.HTTPStatus.TOO_MANY_REQUESTS
    if many or getattr(error, "errno", None) == errno.EBUSY:  # s3fs reports it as EBUSY
        return f"the server is busy ({text}); run the same command again later"
    if any(word in low for word in _BROKEN):
        return f"the connection broke ({text}); run the same command again to resume"
    return ""


def _address(name: str) -> str:
    return f"if the address is wrong: dvc remote modify {name} url URL"
