"""Pictures that browsers sent, kept in memory for further pages of a search."""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import likewise
from likewise.web.answers import RefusedError

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")

MOST_PIXELS = 50_000_000
"""Maximum number of pixels of a picture: 150 MB of memory."""

_KEPT = 24
_KEPT_BYTES = 64 << 20


@dataclass(frozen=True)
class Upload:
    """A picture: the SHA-256 of its bytes, the bytes and its size in pixels."""

    sha256: str
    data: bytes
    width: int
    height: int

    def picture(self) -> "Image.Image":
        """Decode the picture as a model sees it."""
        return decode(self.data)


class Uploads:
    """The pictures that were sent last."""

    def __init__(self) -> None:
        """Begin without pictures."""
        self._kept: OrderedDict[str, Upload] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, data: bytes) -> Upload:
        """Check a picture, and keep its bytes.

        Raises:
            DataError: it is not a picture of a known format, or it is too large.
        """
        picture = decode(data)
        upload = Upload(hashlib.sha256(data).hexdigest(), data, picture.width, picture.height)
        with self._lock:
            self._kept[upload.sha256] = upload
            self._kept.move_to_end(upload.sha256)
            while len(self._kept) > _KEPT or self._nbytes > _KEPT_BYTES:
                self._kept.popitem(last=False)
        return upload

    def get(self, sha256: str) -> Upload:
        """Return a picture that was sent before.

        Raises:
            RefusedError: 409; it is not kept any more.
        """
        with self._lock:
            if sha256 in self._kept:
                self._kept.move_to_end(sha256)
                return self._kept[sha256]
        what = "the server does not have the picture any more; send it again"
        raise RefusedError(409, "MissingUpload", what)

    @property
    def _nbytes(self) -> int:
        return sum(len(upload.data) for upload in self._kept.values())


def decode(data: bytes) -> "Image.Image":
    """Decode a picture of a stranger.

    Raises:
        DataError: it is not a picture of a known format, or it is too large.
    """
    return likewise.picture(data, formats=FORMATS, most_pixels=MOST_PIXELS)
