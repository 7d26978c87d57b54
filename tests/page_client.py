"""A client of the page: the application in this process, without a socket."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.testclient import TestClient

from likewise.web.application import create_app
from likewise.web.settings import Settings

ADDRESS = "http://127.0.0.1:8642"

OWN = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "origin": ADDRESS}
"""Headers by which a browser reports a request of the page itself."""


class Page:
    """Requests of a page to its server, and what they must answer."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, address: str) -> Any:
        """The JSON of an answer."""
        answer = self.client.get(address, headers=OWN)
        assert answer.status_code == 200, (address, answer.status_code, answer.text)
        return answer.json()

    def body(self, address: str) -> bytes:
        """The body of an answer."""
        answer = self.client.get(address, headers=OWN)
        assert answer.status_code == 200, (address, answer.status_code, answer.text)
        return bytes(answer.content)

    def refused(self, address: str, status: int) -> dict[str, Any]:
        """The error of an answer."""
        answer = self.client.get(address, headers=OWN)
        assert answer.status_code == status, (address, answer.status_code, answer.text)
        fault: dict[str, Any] = answer.json()
        assert fault["what"]
        assert {"kind", "what", "next"} <= set(fault)
        return fault

    def post(self, address: str, *, status: int = 200, **content: Any) -> Any:
        """The JSON of the answer to a POST of ``json=`` or ``content=``."""
        headers = {**OWN, **content.pop("headers", {})}
        answer = self.client.post(address, headers=headers, **content)
        assert answer.status_code == status, (address, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def send(
        self, address: str, picture: bytes, *, kind: str = "image/png", status: int = 200
    ) -> Any:
        """The JSON of the answer to a picture."""
        return self.post(
            address, status=status, content=picture, headers={"content-type": kind}
        )

    def ended(self, job: str) -> Any:
        """The answer about a job, with its log, when it has ended."""
        while True:
            answer = self.get(f"/api/jobs/{job}/log")
            if answer["job"]["state"] in ("done", "failed"):
                return answer
            time.sleep(0.05)


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Page]:
    """A page of the catalogue in the current folder."""
    chosen = settings or Settings(port=8642)
    with TestClient(create_app(chosen), base_url=ADDRESS) as client:
        yield Page(client)
