"""Errors between a cache and a remote, as one line with a remedy."""

from likewise.errors import (
    LikewiseError,
    MissingExtraError,
    VersionError,
    cannot_write,
)
from likewise.formats.transport_faults import fault_kind

_EXTRAS = ("s3", "ssh")
"""Kinds of remotes for which likewise has an extra of the same name."""

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
    full = cannot_write(error)
    text = full or " ".join(str(error).split()) or type(error).__name__
    if type(error).__name__ == "LockError":  # of DVC; its own text has four lines
        return DVC_BUSY
    kind = "" if full else fault_kind(error)
    messages = {
        "bucket": f"there is no such bucket ({text}); {_address(name)}",
        "missing": f"{text}; check the address and its files: dvc remote list",
        "refused": f"access refused ({text}); check your access rights, and the user, key or "
        f"credentials: dvc remote modify --local {name} OPTION VALUE",
        "busy": f"the server is busy ({text}); run the same command again later",
        "broken": f"the connection broke ({text}); run the same command again to resume",
        "unreached": f"it cannot be reached ({text}); is it up? {_address(name)}",
    }
    return messages.get(kind, text)


def _address(name: str) -> str:
    return f"if the address is wrong: dvc remote modify {name} url URL"
