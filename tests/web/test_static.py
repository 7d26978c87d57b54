"""The files of the page: small, unchanged where they are others', and without unsafe code."""

import hashlib
import re
import tomllib
from pathlib import Path

import likewise
from likewise.web.page_modules import FIRST, MOST_FILES, page_modules

WEB = Path(likewise.__file__).parent / "web"
STATIC = WEB / "static"
VENDOR = STATIC / "vendor"

MOST_BYTES = 350_000
LONGEST = 300

UNSAFE = (
    r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|"
    r"\beval\(|new Function|setAttribute\(\s*['\"]style|createContextualFragment"
)
"""Ways to run text as code, or to read it as HTML."""


def own_modules() -> list[Path]:
    return sorted(STATIC.glob("*.js"))


def test_files_of_others_are_unchanged() -> None:
    listed = tomllib.loads((VENDOR / "VENDOR.toml").read_text("utf-8"))["file"]
    assert {entry["path"] for entry in listed} == {file.name for file in VENDOR.glob("*.js")}
    for entry in listed:
        content = (VENDOR / entry["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry["path"]
        assert all(entry[name] for name in ("name", "version", "licence", "source"))


def test_licences_of_others_are_included() -> None:
    text = (VENDOR / "LICENSES.txt").read_text("utf-8")
    assert "Apache License" in text
    assert "The MIT License" in text


def test_all_files_together_are_small() -> None:
    files = [file for folder in ("static", "templates") for file in (WEB / folder).rglob("*")]
    assert sum(file.stat().st_size for file in files if file.is_file()) <= MOST_BYTES


def test_no_module_is_long() -> None:
    files = [*own_modules(), *STATIC.glob("*.css")]
    lengths = {file.name: len(file.read_text("utf-8").splitlines()) for file in files}
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST}


def test_texts_never_become_html_or_code() -> None:
    assert own_modules()
    faults = [
        (file.name, match[0])
        for file in own_modules()
        for match in re.finditer(UNSAFE, file.read_text("utf-8"))
    ]
    assert not faults


def test_templates_have_no_script_or_style_of_their_own() -> None:
    for file in (WEB / "templates").iterdir():
        text = file.read_text("utf-8")
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style", text), file.name
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), file.name


def test_the_first_load_of_a_page_has_few_files() -> None:
    """Those of the data sets and of browse, from which everything begins."""
    further = {"shell", "app.css", "favicon.svg", FIRST}
    for page in ("home", "browse"):
        assert len(page_modules(page)) + len(further) <= MOST_FILES, page_modules(page)


def test_every_module_belongs_to_a_page() -> None:
    """A page, or a part that follows later, is fetched by ``import()``."""
    texts = [file.read_text("utf-8") for file in own_modules()]
    fetched = {name for text in texts for name in re.findall(r"import\('\./(\w+)\.js'\)", text)}
    modules = {file.relative_to(STATIC).as_posix() for file in STATIC.rglob("*.js")}
    parts = {f"{name}.js" for name in fetched} | {FIRST}
    assert {name for page in fetched for name in page_modules(page)} | parts == modules


def test_no_file_names_another_host() -> None:
    names = r"https?://(?!www\.w3\.org/)[\w.-]+"
    files = [*own_modules(), *STATIC.glob("*.css"), *(WEB / "templates").iterdir()]
    assert not {
        file.name: found
        for file in files
        if (found := re.findall(names, file.read_text("utf-8")))
    }


def test_modules_import_each_other_by_relative_addresses() -> None:
    for file in own_modules():
        for target in re.findall(r"from '([^']+)'", file.read_text("utf-8")):
            assert (STATIC / target).resolve().is_file(), (file.name, target)
