"""Kinds of a family, as data that prints: name, sentence, options, formula and source."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from likewise.errors import UnknownNameError
from likewise.formats.counted_nouns import counted
from likewise.pages import notebook


@dataclass(frozen=True)
class KindOption:
    """One option of a kind.

    Attributes:
        name: its name in params.yaml; a dot separates the names of nested options.
        type: type of its value, or its values separated by " | ".
        default: default value; None also stands for null.
        required: True if the option has no default.
        range: limits of the value, such as ``>= 0, < 1``; "" if there are none.
        description: what it sets; "" if it is not described.
    """

    name: str
    type: str
    default: Any = None
    required: bool = False
    range: str = ""
    description: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind of a family.

    Attributes:
        name: its name, as params.yaml and the command line use it.
        summary: one sentence.
        options: its options.
        formula: the formula of its value; "" if it has none.
        source: publication or program that defines it; "" if there is none.
        settings: what a protocol or a metric fixes, by name.
        package: the package that it belongs to.
        details: the rest of its description, one line per paragraph; "" if there is none.
    """

    name: str
    summary: str
    options: list[KindOption] = field(default_factory=list)
    formula: str = ""
    source: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    package: str = "likewise"
    details: str = ""

    def __repr__(self) -> str:
        options = ", ".join(option.name for option in self.options) or "none"
        return f"Kind({self.name}: {self.summary} Options: {options})"

    def _repr_html_(self) -> str:
        heads = ("option", "type", "default", "range", "description")
        rows = [(o.name, o.type, str(o.default), o.range, o.description) for o in self.options]
        facts = {"formula": self.formula, "source": self.source, "package": self.package}
        texts = (self.summary, *filter(None, self.details.split("\n")))
        parts = [notebook.heading(self.name), *map(notebook.paragraph, texts)]
        parts += [notebook.facts(facts), notebook.table(heads, rows) if rows else ""]
        return "".join(parts)


@dataclass(frozen=True, repr=False)
class Kinds:
    """The kinds of one family: ``kinds["knn"]`` returns one kind; iteration yields all.

    Attributes:
        family: name of the family, such as ``protocols``.
        kinds: its kinds, sorted by name.
    """

    family: str
    kinds: list[Kind]

    def __len__(self) -> int:
        return len(self.kinds)

    def __iter__(self) -> Iterator[Kind]:
        return iter(self.kinds)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Kind:
        """Return the kind ``name``.

        Raises:
            UnknownNameError: the family has no such kind; the error lists all kinds.
        """
        for kind in self.kinds:
            if kind.name == name:
                return kind
        raise UnknownNameError("kind", name, self.names, self.family, complete=True)

    @property
    def names(self) -> list[str]:
        """The names of the kinds."""
        return [kind.name for kind in self.kinds]

    def __repr__(self) -> str:
        width = max(map(len, self.names), default=0)
        lines = [f"{kind.name:<{width}}  {kind.summary}" for kind in self.kinds]
        return "\n".join([f"{self.family}, {counted(len(self), 'kind')}", *lines])

    def _repr_html_(self) -> str:
        rows = [
            (k.name, k.summary, ", ".join(o.name for o in k.options), k.formula, k.source)
            for k in self.kinds
        ]
        table = notebook.table(("name", "summary", "options", "formula", "source"), rows)
        return notebook.heading(f"{self.family}, {counted(len(self), 'kind')}") + table


@dataclass(frozen=True)
class KindFamily:
    """A family of kinds.

    Attributes:
        name: name of the family, for ``likewise.kinds(name)``.
        summary: what its kinds are.
        kinds: the names of its kinds, sorted.
    """

    name: str
    summary: str
    kinds: list[str]


@dataclass(frozen=True, repr=False)
class KindFamilies:
    """All families of kinds.

    Attributes:
        families: the families, in the order of their use.
    """

    families: list[KindFamily]

    def __len__(self) -> int:
        return len(self.families)

    def __iter__(self) -> Iterator[KindFamily]:
        return iter(self.families)

    def __repr__(self) -> str:
        width = max(len(family.name) for family in self.families)
        return "\n".join(
            f"{f.name:<{width}}  {len(f.kinds):>3,}  {f.summary}" for f in self.families
        )

    def _repr_html_(self) -> str:
        rows = [(f.name, len(f.kinds), f.summary, ", ".join(f.kinds)) for f in self.families]
        return notebook.table(("family", "kinds", "summary", "names"), rows)
