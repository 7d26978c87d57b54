"""An HTTP client with bounds: of redirects, and of the time until the headers of a response."""

import http.client
import io
import threading
import urllib.parse
import urllib.request
from contextlib import suppress
from socket import SHUT_RDWR
from typing import IO, Any

from likewise.errors import DataError
from likewise.formats.escape import escape_line

_SCHEMES = ("http", "https")


def check_address(url: str) -> None:
    """Check that ``url`` is an address on the web: http or https, and a host.

    Raises:
        DataError: it is another one, such as a file of this machine.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        is_valid = parts.scheme in _SCHEMES and bool(parts.hostname) and url.isprintable()
        is_valid &= parts.port != 0
    except ValueError:  # such as an invalid IPv6 address or port
        is_valid = False
    if not is_valid:
        raise DataError(
            f"{escape_line(url)} is not an address on the web; write http://HOST/FILE or "
            "https://HOST/FILE"
        )


def build_opener(timeout: float) -> urllib.request.OpenerDirector:
    """Return an opener that gives up if a response has no headers after ``timeout`` seconds.

    A socket has a timeout for each of its reads only: a server that sends a byte now and then
    would hold the process without end.
    """

    class Plain(_Deadline, http.client.HTTPConnection):
        seconds = timeout

    class Encrypted(_Deadline, http.client.HTTPSConnection):
        seconds = timeout

    class PlainHandler(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Plain, req)

    class EncryptedHandler(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Encrypted, req)

    return urllib.request.build_opener(_Redirects, PlainHandler, EncryptedHandler)


class _Deadline:
    """A connection that is shut down if its response has no headers in time."""

    seconds: float
    sock: Any
    _is_late = False

    def getresponse(self) -> http.client.HTTPResponse:
        timer = threading.Timer(self.seconds, self._shut_down)
        timer.daemon = True
        timer.start()
        try:
            response: http.client.HTTPResponse = super().getresponse()  # type: ignore[misc]
        finally:
            timer.cancel()
        if self._is_late:  # headers that end with the connection seem complete
            response.close()
            raise TimeoutError(f"the headers took more than {self.seconds:g} seconds")
        return response

    def _shut_down(self) -> None:
        self._is_late = True
        with suppress(OSError, AttributeError):
            self.sock.shutdown(SHUT_RDWR)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects to http and https only, and never from https to http."""

    def http_error_302(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
    ) -> Any:
        fp.close()
        # Otherwise the body of the redirect, of any size, is read first.
        return super().http_error_302(req, io.BytesIO(), code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        scheme = newurl.partition(":")[0].lower()
        if scheme not in _SCHEMES or (req.type == "https" and scheme == "http"):
            place = escape_line(newurl)
            raise DataError(f"{req.full_url} redirects to {place}, which is not allowed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
