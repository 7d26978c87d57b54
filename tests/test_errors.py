"""Errors suggest the right name for a misspelt one."""

from likewise.errors import hint


def test_the_nearest_names() -> None:
    assert hint("lbael", ["label", "text"]) == "did you mean 'label'?"
    assert hint("zzz", ["b", "a"]) == "there are: a, b"
    assert hint("x", []) == "there is none yet"
    assert hint("?", map(str, range(13))).endswith("2, 3, 4, 5, 6, 7, 8 ...")


def test_a_million_names_are_not_compared_letter_by_letter() -> None:
    names = [f"images/n{n % 1000:04d}/{n}.jpg" for n in range(100_000)]
    assert "'images/n0017/1017.jpg'" in hint("images/n0017/101.jpg", names)
    assert "'images/n0017/1017.jpg'" in hint("n0017/1017.jpg", names)  # without its folder
    assert hint("zzz", names).startswith("there are: images/n0000/0.jpg, ")
