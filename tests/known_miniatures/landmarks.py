"""Oxford5k and Paris6k with their original ground truth."""

from known_miniatures import Miniature
from memory_files import images


def _landmark(top: str, prefix: str, name: str, first: str) -> Miniature:
    """Return a data set with two queries in one image, and a list that names an absent one."""
    paths = [f"{top}{name}_{number:06}.jpg" for number in (1, 2, 3, 4)]
    stems = [path.rpartition("/")[2].removesuffix(".jpg") for path in paths]
    files = {
        **images(*paths),
        f"gt/{first}_1_query.txt": f"{prefix}{stems[0]} 136.5 34.5 648.5 955.5\n",
        f"gt/{first}_1_good.txt": f"{stems[0]}\n{stems[1]}\n",
        f"gt/{first}_1_ok.txt": f"{stems[2]}\n{name}_999999\n",
        f"gt/{first}_1_junk.txt": "",
        f"gt/{first}_2_query.txt": f"{prefix}{stems[0]} 1 2 30 40\n",
        f"gt/{first}_2_good.txt": f"{stems[1]}\n",
        f"gt/{first}_2_junk.txt": f"{stems[3]}\n",
        f"gt/{first}_3_query.txt": f"{prefix}{stems[0]} 1 2 30\n",
        f"gt/{first}_4_query.txt": f"{prefix}{name}_999998 1 2 30 40\n",
        **{f"gt/{first}_4_{kind}.txt": "" for kind in ("good", "ok", "junk")},
    }
    return Miniature(
        files,
        "label role good ok junk",
        {
            **{path: [None, "gallery", None, None, None] for path in paths},
            f"{paths[0]}#1": [first, "query", paths[:2], [paths[2]], []],
            f"{paths[0]}#2": [first, "query", [paths[1]], [], [paths[3]]],
        },
        {f"{paths[0]}#1": [136.5, 34.5, 648.5, 955.5], f"{paths[0]}#2": [1, 2, 30, 40]},
        frozenset(
            {
                f"dangling: gt/{first}_1_ok.txt",
                f"absent: gt/{first}_2_ok.txt",
                f"bad-annotation: gt/{first}_3_query.txt",
                f"dangling: gt/{first}_4_query.txt",
            }
        ),
        counts=frozenset({"incomplete: labels", "incomplete: role query"}),
    )


MINIATURES = {
    "oxford5k": _landmark("oxbuild_images/", "oxc1_", "all_souls", "all_souls"),
    "paris6k": _landmark("paris/defense/", "", "paris_defense", "defense"),
}
