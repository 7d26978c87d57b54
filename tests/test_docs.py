"""The documentation: no dead link, no page without a place, nothing that is not described.

``docs/`` is read in two ways: as the site, which Sphinx builds, and as Markdown on the host of
the repository. The tests of links cover both.
"""

import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer
from typer.core import TyperArgument, TyperOption

import forked
import likewise
from likewise.cli.app import COMMANDS, app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

FILES = ("*.md", "docs/**/*.md", "benchmarks/*.md", "samples/*.md", "examples/*/*.md")
"""The Markdown files of the repository that people read."""

_CODE = re.compile(r"^(```+).*?^\1\s*$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^()\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)
_TEXT_OF = re.compile(r"<!-- text of \S+ -->")


def check_site(folder: Path, output: Path, builder: str = "dummy") -> tuple[int, str]:
    """Build a site strictly; return the exit code and the warnings."""
    words = (
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        builder,
        "-d",
        str(output / "trees"),
    )
    done = forked.run(ROOT, "python", *words, str(folder), str(output / "site"))
    return done.returncode, done.stderr


def documents() -> list[Path]:
    return sorted({file for pattern in FILES for file in ROOT.glob(pattern)})


@cache
def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def anchors(file: Path) -> frozenset[str]:
    """Return the anchors that the host of the repository gives to the headings of a file."""
    text = re.sub(r"^(```+).*?^\1\s*$", "", text_of(file), flags=re.MULTILINE | re.DOTALL)
    slugs = set[str]()
    for heading in _HEADING.findall(text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        number = sum(1 for other in slugs if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", other))
        slugs.add(f"{slug}-{number}" if slug in slugs else slug)
    return frozenset(slugs)


def links(file: Path) -> Iterator[str]:
    """Yield the addresses of links to other places of the repository."""
    for match in _LINK.finditer(_CODE.sub("", text_of(file))):
        address = match[1] or match[2]
        if not re.match(r"[a-z]+:", address):
            yield address


@pytest.mark.no_cover
def test_the_site_has_no_dead_link_and_no_page_outside_its_contents(
    tmp_path: Path, unmeasured: None
) -> None:
    code, warnings = check_site(DOCS, tmp_path)
    assert (code, warnings) == (0, "")


def test_a_dead_link_and_a_page_outside_the_contents_fail(
    tmp_path: Path, unmeasured: None
) -> None:
    source = tmp_path / "docs"
    source.mkdir()
    shutil.copy(DOCS / "conf.py", source)
    (source / "_static").mkdir()
    (source / "index.md").write_text("# A\n\n[b](b.md) [c](other.md#no-such-heading)\n")
    (source / "other.md").write_text("# Other\n")
    code, warnings = check_site(source, tmp_path)
    assert code == 1
    assert "cross-reference target not found: 'b.md'" in warnings
    assert "no-such-heading" in warnings
    assert "document isn't included in any toctree" in warnings


@pytest.mark.parametrize(
    "file", documents(), ids=lambda file: file.relative_to(ROOT).as_posix()
)
def test_links_between_files_of_the_repository_lead_somewhere(file: Path) -> None:
    dead = []
    for address in links(file):
        path, _, anchor = address.partition("#")
        target = (file.parent / path).resolve() if path else file
        known = anchors(target) if anchor and target.suffix == ".md" else {anchor}
        if not target.exists() or anchor not in known:
            dead.append(address)
    assert not dead


def test_a_page_with_the_text_of_a_file_names_it() -> None:
    for page in sorted((DOCS / "project").glob("*.md")):
        match = _TEXT_OF.match(text_of(page))
        assert match, page
        assert f"(../../{match[0].split()[3]})" in text_of(page)


def test_every_option_of_params_yaml_and_cards_is_described() -> None:
    bare = [
        f"{family.name} {kind.name}: {option.name}: {option.description!r}"
        for family in likewise.kinds()
        for kind in likewise.kinds(family.name)
        for option in kind.options
        if kind.package == "likewise" and len(option.description.split()) < 2
    ]
    assert not bare


def test_an_option_without_a_description_fails_the_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from likewise.cli import option_reference

    bare = likewise.Kind("bare", "A kind.", [likewise.KindOption("size", "int")])
    monkeypatch.setattr(likewise, "kinds", lambda family: likewise.Kinds(family, [bare]))
    with pytest.raises(likewise.DataError, match=r"without a description: bare\.size; write"):
        option_reference._refuse_undescribed("recipes", likewise.kinds("recipes"))


def test_every_command_and_its_options_are_described() -> None:
    group = typer.main.get_command(app)
    for name, _, example in COMMANDS:
        command = group.commands[name]  # type: ignore[attr-defined]
        assert command.help, name
        assert example.startswith("likewise "), name
        for parameter in command.params:
            assert isinstance(parameter, TyperArgument | TyperOption)
            assert parameter.hidden or parameter.help, f"{name}: {parameter.name}"


def test_commands_in_the_documentation_exist_with_their_options() -> None:
    """Also those that no test runs, such as the ones of README and of large data sets."""
    group = typer.main.get_command(app)
    wrong = []
    for file in documents():
        if file.name in ("CHANGELOG.md", "DECISIONS.md"):  # these name older commands
            continue
        for name, options in commands_of(text_of(file)):
            command = group.commands.get(name)  # type: ignore[attr-defined]
            known = {"--help"}
            for parameter in command.params if command else ():
                known.update((*parameter.opts, *parameter.secondary_opts))
            unknown = sorted(set(options) - known)
            if command is None or unknown:
                wrong.append(f"{file.name}: likewise {name} {' '.join(unknown)}")
    assert not wrong


def commands_of(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the commands of likewise in the code of a text, each with its options."""
    fence = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    code = [part for language, part in fence.findall(text) if language in ("", "sh")]
    prose = fence.sub("", text)
    code += [" ".join(part.split()) for part in re.findall(r"`(likewise\s[^`]+)`", prose)]
    for part in code:
        for line in part.replace("\\\n", " ").splitlines():
            if "pip install" not in line and r" 1\n" not in line:  # the beginning of a digest
                plain = re.sub(r"\"[^\"]*\"|'[^']*'", "TEXT", line).partition(" #")[0]
                for name, words in re.findall(r"\blikewise ([a-z][a-z-]*)([^&|;>]*)", plain):
                    yield name, re.findall(r"(?<!\S)--?[a-z][a-z-]*", words)


def test_commands_are_found_in_code_and_prose() -> None:
    block = "```sh\nlikewise add x -o a=-b \\\n  --path '--y' # --z\n```\n"
    text = f"Run `likewise\nlist --json`.\n{block}"
    assert list(commands_of(text)) == [("add", ["-o", "--path"]), ("list", ["--json"])]


def test_the_page_of_errors_lists_every_error_with_its_exit_code() -> None:
    public = (getattr(likewise, name) for name in likewise.__all__)
    error = likewise.LikewiseError
    errors = [one for one in public if isinstance(one, type) and issubclass(one, error)]
    page = text_of(DOCS / "errors.md")
    cells = re.findall(r"^\| (\d+) \| `(\w+)` \|", page, re.MULTILINE)
    rows = {name: int(code) for code, name in cells}

    assert rows.pop("KeyboardInterrupt") == 130
    assert rows == {e.__name__: e.exit_code for e in errors if e is not error}


def test_every_public_name_is_in_the_reference_of_the_api() -> None:
    page = text_of(DOCS / "api.md")
    names = set(re.findall(r"^\.\. auto\w+:: likewise\.(\w+)$", page, re.MULTILINE))
    assert names == set(likewise.__all__)
