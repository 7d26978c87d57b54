"""Values in memory that are made when they are first needed; those used last are kept."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakValueDictionary


class Sized(Protocol):
    """A value that knows its size."""

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        ...


Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept", bound=Sized)


class KeptLast(Generic[Key, Kept]):
    """The values that were used last, within a number of bytes; the last one always."""

    def __init__(self, most_bytes: int) -> None:
        """Keep at most ``most_bytes``."""
        self._most_bytes = most_bytes
        self._values: OrderedDict[Key, Kept] = OrderedDict()
        self._lock = RLock()
        self._making: WeakValueDictionary[Key, Any] = WeakValueDictionary()

    def get(self, key: Key, make: Callable[[], Kept]) -> Kept:
        """Return the value of ``key``; ``make`` it if it is not kept.

        A value is made once, and meanwhile others can be got.
        """
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            making = self._making.setdefault(key, RLock())
        with making:
            with self._lock:
                if key in self._values:
                    return self._values[key]
            return self._keep(key, make())

    def _keep(self, key: Key, value: Kept) -> Kept:
        with self._lock:
            while self._values and value.nbytes + self.nbytes > self._most_bytes:
                self._values.popitem(last=False)
            self._values[key] = value
            return value

    @property
    def nbytes(self) -> int:
        """Bytes of all values."""
        with self._lock:
            return sum(value.nbytes for value in self._values.values())
