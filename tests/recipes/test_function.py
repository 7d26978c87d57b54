"""Functions of a catalogue's author: what they return, when they run, and when never."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import likewise
from forked import run_dvc
from likewise.errors import ConfigError, DataError, StaleArtefactError
from likewise.models.passport import Passport
from likewise.models.recipes import RECIPES, load

MEANS = """\
from pathlib import Path

import numpy as np

def embed(images):
    Path("ran").write_text("yes")
    return np.stack([np.asarray(i.resize((2, 2)), np.float32).ravel() + 1 for i in images])
"""


def write(code: str) -> None:
    Path("mymodels.py").write_text(code, "utf-8")


@pytest.fixture
def function(workspace: Path) -> Path:
    """A catalogue with the function, which embeds and is published."""
    write(MEANS)
    likewise.add_model("mine", kind="function", options={"function": "mymodels:embed"})
    params = Path("params.yaml").read_text("utf-8")
    entry = "emoji-mine: {dataset: emoji, model: mine}"
    Path("params.yaml").write_text(
        params.replace("embeddings:\n", f"embeddings:\n  {entry}\n"), "utf-8"
    )
    likewise.load("mine")
    likewise.embed("emoji", "mine")
    likewise.publish("emoji")
    return workspace


def test_a_function_embeds_and_answers_a_picture(function: Path) -> None:
    passport = Passport.read("models/mine")
    assert passport.recipe["file"] == "mymodels.py"
    assert (passport.dim, passport.backbone) == (12, "mymodels:embed")
    emoji = likewise.open("emoji")
    picture = Path("emoji/images/0_noto.jpg")
    pixels = np.asarray(Image.open(picture).convert("RGB").resize((2, 2)), np.float32).ravel()
    expected = (pixels + 1) / np.linalg.norm(pixels + 1)
    (row,) = np.flatnonzero(emoji.items["item_id"] == "0_noto.jpg")
    np.testing.assert_allclose(emoji.vectors("mine")[row], expected, atol=1e-6)
    hits = likewise.search("emoji", image=picture, model="mine", k=1)
    assert hits["item_id"].to_list() == ["0_noto.jpg"]
    assert sorted(p.name for p in Path("models/mine/source").iterdir()) == ["mymodels.py"]


def test_an_edit_embeds_again(function: Path) -> None:
    assert likewise.embed("emoji", "mine").computed == 0
    write(MEANS.replace("+ 1", "+ 2"))
    assert likewise.embed("emoji", "mine").computed == 0  # the model is not made again yet
    likewise.load("mine")
    assert likewise.embed("emoji", "mine").computed == 24
    with pytest.raises(StaleArtefactError, match="made by another version of 'mine'"):
        likewise.search("emoji", image="emoji/images/0_noto.jpg", model="mine")


def test_an_edit_may_change_the_dimension(function: Path) -> None:
    write(MEANS.replace("(2, 2)", "(1, 1)"))
    likewise.load("mine")
    assert likewise.embed("emoji", "mine").computed == 24
    likewise.publish("emoji")
    assert likewise.open("emoji").vectors("mine").shape == (24, 3)


@pytest.mark.dvc
def test_the_stage_depends_on_the_file(function: Path) -> None:
    likewise.init(function)
    run_dvc(function, "commit", "--quiet", "--force", "define@mine", "embed@emoji-mine")
    assert "define@mine" not in run_dvc(function, "status", "define@mine")
    write(MEANS.replace("+ 1", "+ 2"))
    assert "mymodels.py" in run_dvc(function, "status", "define@mine")


def test_code_of_a_foreign_catalogue_is_not_run(function: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    shutil.copytree(function, foreign)
    shutil.rmtree(foreign / ".likewise")
    (foreign / "ran").unlink()
    picture = foreign / "emoji" / "images" / "0_noto.jpg"
    (foreign / ".git").mkdir()
    (foreign / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    likewise.datasets(workspace=foreign)
    likewise.show("emoji", workspace=foreign)
    likewise.list_models(workspace=foreign)
    likewise.doctor(workspace=foreign)
    likewise.search("emoji", id="0_noto.jpg", model="mine", workspace=foreign)
    message = r"runs code of this catalogue \(mymodels\.py\), .+ run: likewise load mine"
    with pytest.raises(DataError, match=message):
        likewise.search("emoji", image=picture, model="mine", workspace=foreign)
    with pytest.raises(DataError, match=message):
        likewise.why("emoji", "mine", "0_noto.jpg", workspace=foreign)
    with pytest.raises(DataError, match="runs code of the catalogue"):
        load(foreign / "models" / "mine")
    assert not (foreign / "ran").exists()
    likewise.load("mine", workspace=foreign)
    likewise.search("emoji", image=picture, model="mine", workspace=foreign)


def test_a_file_that_the_passport_does_not_name_is_not_run(function: Path) -> None:
    Path("models/mine/source/numpy.py").write_text("")
    with pytest.raises(DataError, match="has more files than its passport; run: dvc repro"):
        likewise.search("emoji", image="emoji/images/0_noto.jpg", model="mine")


BROKEN = {
    "return [[1.0, 2.0] for _ in images]": r"it returned a list; return a numpy array \(2, d\)",
    "return None": "it returned a NoneType; return a numpy array",
    "return np.ones((3, 4))": "it returned 3 vectors for 2 images; return a numpy array",
    "return np.ones(len(images))": r"it returned an array of the shape \(2,\); return",
    "return np.array([['a', 'b']] * 2)": "it returned an array of <U1; return numbers",
    "return np.full((len(images), 4), np.nan)": "it returned NaN, infinity or zeros for 2 of 2",
    "return np.zeros((len(images), 4))": "NaN, infinity or zeros for 2 of 2 images: rows 0, 1;",
    "raise KeyError('x')": r"raised KeyError: 'x' \(mymodels\.py, line 4\); correct",
    "raise ValueError('a\\nb')": r"raised ValueError: a b \(mymodels\.py, line 4\)",
    "1 / 0": r"raised ZeroDivisionError: division by zero \(mymodels\.py, line 4\)",
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_wrong_result_is_one_line(tmp_path: Path, code: str) -> None:
    (tmp_path / "mymodels.py").write_text(
        f"import numpy as np\n\ndef embed(images):\n    {code}\n"
    )
    with pytest.raises(
        DataError, match=f"^function mymodels:embed: .*{BROKEN[code]}"
    ) as caught:
        make(tmp_path)
    assert "\n" not in str(caught.value)


def make(root: Path, **options: str) -> Passport:
    entry = {"kind": "function", "function": "mymodels:embed", "file": "mymodels.py", **options}
    folder = root / "made"
    folder.mkdir()
    return RECIPES.build(entry, "params.yaml").make(folder, 0, root=root)


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        ("def embed(:", {}, r"mymodels:embed: its import raised SyntaxError: .+ \(line 1\)"),
        ("import absent_library", {}, "its import raised ModuleNotFoundError: No module named"),
        ("def other(): pass", {}, "mymodels has no function 'embed'; correct the name"),
        (
            MEANS,
            {"file": "other.py"},
            "'mymodels:embed' is not in other.py; set file: mymodels",
        ),
        (MEANS, {"file": "../mymodels.py"}, "file '../mymodels.py' of the function mymodels"),
        (None, {}, "file 'mymodels.py' of the function mymodels:embed does not exist"),
    ],
)
def test_a_function_that_cannot_be_imported_is_one_line(
    tmp_path: Path, code: str | None, options: dict[str, str], message: str
) -> None:
    if code is not None:
        (tmp_path / "mymodels.py").write_text(code)
    with pytest.raises((DataError, ConfigError), match=message) as caught:
        make(tmp_path, **options)
    assert "\n" not in str(caught.value)


def test_another_dimension_in_a_later_batch_is_one_line(tmp_path: Path) -> None:
    code = (
        "import numpy as np\ndef embed(images):\n    return np.ones((len(images), len(images)))"
    )
    (tmp_path / "mymodels.py").write_text(code)
    assert make(tmp_path).dim == 2
    encoder = load(tmp_path / "made", may_run_code=True)
    with pytest.raises(DataError, match="returned vectors of 1 value, and of 2 when the model"):
        encoder.encode([Image.new("RGB", (9, 9))])


def test_a_package_with_files_of_its_own(tmp_path: Path) -> None:
    package = tmp_path / "mymodels"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("from .inner.part import embed\n")
    (package / "inner" / "__init__.py").write_text("")
    (package / "weights.txt").write_text("7")
    part = "import numpy as np\nfrom pathlib import Path\nN = Path(__file__).parents[1]\n"
    part += "def embed(images):\n    size = int((N / 'weights.txt').read_text())\n"
    part += "    return np.ones((len(images), size))\n"
    (package / "inner" / "part.py").write_text(part)
    passport = make(tmp_path, file="mymodels")
    assert passport.dim == 7
    assert "source/mymodels/weights.txt" in passport.files
    assert not list((tmp_path / "made").rglob("__pycache__"))
    shutil.rmtree(package)
    assert load(tmp_path / "made", may_run_code=True).dim == 7


def test_a_function_is_added_by_its_name(workspace: Path) -> None:
    with pytest.raises(ConfigError, match=r"neither mymodels\.py nor a folder mymodels"):
        likewise.add_model("mine", kind="function", options={"function": "mymodels:embed"})
    write(MEANS)
    likewise.add_model("mine", kind="function", options={"function": "mymodels:embed"})
    listed = {model.name: model for model in likewise.list_models()}
    assert (listed["mine"].section, listed["mine"].origin) == ("functions", "mymodels:embed")
    assert not Path("ran").exists()
