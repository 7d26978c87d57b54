"""A tokenizer of words and their character n-grams, which is learned from texts."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from likewise.errors import DataError
from likewise.formats import atomic

_WORD = re.compile(r"\w+")

UNKNOWN = 0
"""The number of the token for texts without any known piece."""


@dataclass(frozen=True)
class WordPieces:
    """Turns a text into the numbers of its known words and n-grams.

    Attributes:
        sizes: smallest and largest length of an n-gram; the ends of a word are marked.
        pieces: the known pieces; the number of a piece is its place, from 1.
    """

    sizes: tuple[int, int]
    pieces: tuple[str, ...]

    @classmethod
    def learn(cls, texts: Iterable[str], sizes: tuple[int, int], most: int) -> Self:
        """Take the pieces of some texts, the most frequent first.

        Args:
            texts: distinct texts.
            sizes: smallest and largest length of an n-gram.
            most: maximum number of pieces.
        """
        counts = Counter(piece for text in texts for piece in set(_pieces(text, sizes)))
        ordered = sorted(counts, key=lambda piece: (-counts[piece], piece))
        return cls(sizes, tuple(ordered[:most]))

    def __len__(self) -> int:
        """Return the number of tokens, with that of unknown texts."""
        return len(self.pieces) + 1

    def encode(self, text: str) -> list[int]:
        """Return the numbers of the known pieces of a text; ``UNKNOWN`` if it has none."""
        known = [self._numbers[p] for p in _pieces(text, self.sizes) if p in self._numbers]
        return known or [UNKNOWN]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {piece: number for number, piece in enumerate(self.pieces, 1)}

    def write(self, path: Path) -> None:
        """Write the tokenizer as JSON."""
        content = {"sizes": self.sizes, "pieces": self.pieces}
        atomic.write_text(path, json.dumps(content, ensure_ascii=False, indent=0) + "\n")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a tokenizer.

        Raises:
            DataError: the file is missing or damaged.
        """
        try:
            content = json.loads(path.read_text("utf-8"))
            least, most = map(int, content["sizes"])
            return cls((least, most), tuple(map(str, content["pieces"])))
        except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
            raise DataError(f"{path} is damaged ({error}); run: dvc checkout") from error


def _pieces(text: str, sizes: Sequence[int]) -> Iterator[str]:
    """Yield the words of a text and their n-grams, in lower case."""
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        marked = f"<{word}>"
        yield marked
        for size in range(sizes[0], sizes[1] + 1):
            for at in range(len(marked) - size + 1):
                if size < len(marked):
                    yield marked[at : at + size]
