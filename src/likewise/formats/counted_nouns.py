"""Numbers with their nouns, for messages."""


def counted(number: int, noun: str, singular: str = "", plural: str = "") -> str:
    """Return a number, its noun and perhaps a verb: ``1 label is``, ``2 labels are``.

    Args:
        number: the number.
        noun: the noun in the singular; words from ``of`` on stay: ``file of the cache``.
        singular: the verb after one.
        plural: the verb after none or several.
    """
    if number == 1:
        return f"1 {noun} {singular}".rstrip()
    head, of, rest = noun.partition(" of ")
    return f"{number:,} {_plural(head)}{of}{rest} {plural}".rstrip()


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")
