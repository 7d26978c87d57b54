"""One item of an open data set."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

from likewise.errors import LikewiseError
from likewise.pages import notebook
from likewise.pages.gallery import thumbnail

if TYPE_CHECKING:
    from PIL import Image


class ImageSource(Protocol):
    """The part of an open data set that returns the images of items."""

    @overload
    def images(self, ids: Sequence[str]) -> "list[Image.Image]": ...
    @overload
    def images(self, ids: Sequence[str], *, encoded: Literal[True]) -> list[bytes]: ...


class Item(Mapping[str, Any]):
    """One item: its columns as a mapping, and its picture.

    ``item["label"]`` is the value of a column; vectors are not among them:
    ``dataset.vectors(model)[item.row]``.

    Attributes:
        row: the position of the item in the data set, from 0.
    """

    def __init__(self, source: ImageSource, row: int, values: dict[str, Any]) -> None:
        """Keep the values of an item, and the data set with its picture."""
        self.row = row
        self._source = source
        self._values = values

    @property
    def item_id(self) -> str:
        """The name of the item."""
        return str(self._values["item_id"])

    @property
    def label(self) -> str | None:
        """The class of the item, if it has one."""
        label: str | None = self._values["label"]
        return label

    @property
    def text(self) -> str | None:
        """The class in words, if it has any."""
        text: str | None = self._values["text"]
        return text

    def image(self) -> "Image.Image":
        """Return the picture as RGB, cropped to the box of the item if it has one."""
        return self._source.images([self.item_id])[0]

    def encoded(self) -> bytes:
        """Return the bytes of the image file, unchanged."""
        return self._source.images([self.item_id], encoded=True)[0]

    def __getitem__(self, column: str) -> Any:
        return self._values[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        label = "" if self.label is None else f", label {self.label!r}"
        return f"Item({self.item_id!r}{label})"

    def _repr_html_(self) -> str:
        facts = notebook.facts(self._values)
        try:
            picture = thumbnail(self.image())
        except (LikewiseError, OSError):  # its image was not pulled
            return facts
        name = escape(self.item_id)
        return f'<img src="{escape(picture or "")}" alt="{name}">{facts}'
