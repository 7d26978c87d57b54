"""Settings of a server, fixed while it runs."""

import ipaddress
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Names of this machine that no other machine can reach."""


@dataclass(frozen=True)
class Settings:
    """Settings of a server.

    Attributes:
        workspace: a folder in the catalogue; None for the current one.
        host: the address that the server listens at.
        port: its port.
        allowed_hosts: further names by which the page may be opened, such as those of a proxy;
            with or without a port.
        root_path: prefix of every URL behind a proxy; "" for none.
        read_only: refuse everything that changes the catalogue.
        token: secret that a browser exchanges for a cookie; "" on loopback, where no other
            machine can connect.
        session: value of that cookie.
    """

    workspace: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: Sequence[str] = ()
    root_path: str = ""
    read_only: bool = False
    token: str = ""
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Every ``Host`` header that is answered; a name without a port has any port."""
        names = {*LOOPBACK, bracketed(self.host)}
        if is_unspecified(self.host):
            names |= {socket.gethostname()}
        with_port = {f"{name}:{self.port}" for name in names}
        without = names if self.port == 80 else ()
        return frozenset(host.lower() for host in (*with_port, *without, *self.allowed_hosts))

    def accepts(self, host: str) -> bool:
        """Return True if the ``Host`` header ``host`` is answered."""
        name, _, port = host.lower().rpartition(":")
        if name in map(str.lower, self.allowed_hosts) and port.isdecimal():
            return True
        return host.lower() in self.hosts

    @property
    def cookie(self) -> str:
        """Name of the cookie; servers at other ports have other names."""
        return f"likewise-{self.port}"


def bracketed(host: str) -> str:
    """Return ``host`` as URLs write it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def is_loopback(host: str) -> bool:
    """Return True if no other machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_unspecified(host: str) -> bool:
    """Return True if ``host`` means every address of the machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False
