"""Facts in the source text of a class, which is read and never run."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_ENTRY = re.compile(r"^ {4}(\w+): (.*)$")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_SOURCE = re.compile(r"^Sources?: ((?:.+\n?)+)", re.MULTILINE)


@dataclass(frozen=True)
class ClassFacts:
    """The parts of a class statement that describe a kind.

    Attributes:
        doc: the docstring; "" if there is none.
        bases: expressions of the base classes.
        fields: the annotated assignments that are options, by name.
        descriptions: option -> its description.
    """

    doc: str
    bases: list[str]
    fields: dict[str, ast.AnnAssign] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)


def class_facts(tree: ast.Module, name: str) -> ClassFacts | None:
    """Return the facts of the class ``name`` at the top of a module; None if it has none."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            doc = ast.get_docstring(node) or ""
            fields = {field.target.id: field for field in _fields(node)}  # type: ignore[union-attr]
            described = dict(_attribute_section(doc)) | dict(_texts_below(node))
            return ClassFacts(
                doc, [ast.unparse(base) for base in node.bases], fields, described
            )
    return None


def summary(doc: str) -> str:
    """Return the first sentence of a docstring, without marks of code."""
    paragraph = inspect.cleandoc(doc).partition("\n\n")[0]
    return plain(_SENTENCE.split(" ".join(paragraph.split()))[0])


def details(doc: str) -> str:
    """Return a docstring after its first sentence, without sources and lists of attributes.

    Returns:
        One line per paragraph; "" if there is nothing else.
    """
    text = _SOURCE.sub("", inspect.cleandoc(doc) + "\n")
    paragraphs = [plain(part) for part in text.split("\n\n")]
    rest = paragraphs[0].removeprefix(summary(doc)).strip()
    kept = [rest, *(part for part in paragraphs[1:] if not part.startswith("Attributes:"))]
    return "\n".join(filter(None, kept))


def source(doc: str) -> str:
    """Return the paragraphs of a docstring that begin with "Source:"; "" for none."""
    sources = _SOURCE.findall(inspect.cleandoc(doc) + "\n")
    return plain("; ".join(" ".join(text.split()).rstrip(".") for text in sources))


def plain(text: str) -> str:
    """Return a text of a docstring without marks of code, on one line."""
    return " ".join(text.replace("``", "").split())


def _fields(node: ast.ClassDef) -> Iterator[ast.AnnAssign]:
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name, annotation = statement.target.id, ast.unparse(statement.annotation)
            if (
                not name.startswith("_")
                and "ClassVar" not in annotation
                and name != "model_config"
            ):
                yield statement


def _attribute_section(doc: str) -> Iterator[tuple[str, str]]:
    """Yield the entries of the section "Attributes:" of a docstring."""
    section = inspect.cleandoc(doc).partition("\nAttributes:\n")[2].partition("\n\n")[0]
    name, lines = "", list[str]()
    for line in [*section.splitlines(), "    end: "]:
        if entry := _ENTRY.match(line):
            if name:
                yield name, plain(" ".join(lines))
            name, lines = entry[1], [entry[2]]
        else:
            lines.append(line)


def _texts_below(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Yield the options with a string below them, which describes them."""
    for statement, after in zip(node.body, node.body[1:], strict=False):
        if not (
            isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        ):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            yield statement.target.id, plain(str(after.value.value))
