"""LaTeX from data: text in which nothing is markup."""

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{character: f"\\{character}" for character in "$&%#_"},
    # Braces keep LaTeX from reading these as an option after a line break, a starred
    # command, and a shorthand of babel.
    **{character: f"{{{character}}}" for character in '[]*"'},
}


def latex(text: str) -> str:
    r"""Return ``text`` on one line of LaTeX, without commands from data.

    Characters that do not print, such as control characters and those that change the
    direction of text, become spaces; other characters stay, for an engine that reads UTF-8.

    Example:
        >>> print(latex("50 % of \\input{a_b}"))
        50 \% of \textbackslash{}input\{a\_b\}
    """
    plain = "".join(c if c.isprintable() else " " for c in text)
    return "".join(_SPECIAL.get(c, c) for c in " ".join(plain.split()))
