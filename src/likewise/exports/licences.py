"""What licences forbid, by SPDX identifier, in their own words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from likewise.exports.base import Purpose
from likewise.storage.config import Licence

_NC4 = (
    '{name}, section 2(a)(1): "reproduce and Share the Licensed Material, in whole or in '
    'part, for NonCommercial purposes only"'
)
_NC3 = (
    '{name}, section 4: "You may not exercise any of the rights granted to You in Section 3 '
    "above in any manner that is primarily intended for or directed toward commercial "
    'advantage or private monetary compensation"'
)
_ND4 = '{name}, section 2(a)(1)(B): "produce and reproduce, but not Share, Adapted Material"'
_ND3 = '{name}, section 3: it grants no right "to create and Reproduce Adaptations"'

_FORBIDDEN: tuple[tuple[re.Pattern[str], Purpose, bool, str], ...] = (
    (re.compile(r"CC-BY-NC\b.*-4\.0"), "commercial", False, _NC4),
    (re.compile(r"CC-BY-NC\b.*-[123]\.[05].*"), "commercial", False, _NC3),
    (re.compile(r"CC-BY-(NC-)?ND-4\.0"), "sharing", True, _ND4),
    (re.compile(r"CC-BY-(NC-)?ND-[123]\.[05].*"), "sharing", True, _ND3),
)
"""Identifiers, the purpose that they forbid, whether only of changed pixels, and the clause."""

# Sources: the texts on spdx.org and creativecommons.org. All of them allow copying, sharing and
# commercial use under conditions (naming the authors, the same licence ...).
_OPEN = re.compile(
    r"0BSD|AGPL-.*|Apache-.*|Artistic-.*|BSD-.*|BSL-1\.0|CC-BY-[1234]\.[05].*"
    r"|CC-BY-SA-[1234]\.[05].*|CC0-1\.0|CC-PDDC|CDLA-Permissive-.*|CDLA-Sharing-1\.0|EUPL-.*"
    r"|GFDL-.*|GPL-.*|ISC|LGPL-.*|MIT|MIT-0|MPL-.*|OFL-1\..*|ODbL-1\.0|ODC-By-1\.0|OGL-UK-.*"
    r"|PDDL-1\.0|Unlicense|W3C|Zlib"
)
_NON_COMMERCIAL = re.compile(r"non-?commercial|research|\bby-nc\b", re.IGNORECASE)
_TOKEN = re.compile(r"\(|\)|[^\s()]+")


@dataclass(frozen=True)
class Verdict:
    """Whether an export may be: the clause that forbids it, or what is not known of it."""

    clause: str = ""
    unknown: str = ""


def verdict(licence: Licence, purpose: Purpose, *, changed: bool) -> Verdict:
    """What a licence says to an export for ``purpose``, of pixels that are ``changed`` or not.

    Of ``A AND B`` both must allow it, of ``A OR B`` one. Where the identifier says nothing
    (NOASSERTION, LicenseRef-..., a name in words), it and the terms are searched for what
    forbids earning money.
    """
    if purpose == "research":
        return Verdict()
    found = _Expression(licence.spdx, purpose, changed=changed).verdict()
    said = f"{licence.spdx} {licence.terms}".strip()
    if found.unknown and purpose == "commercial" and _NON_COMMERCIAL.search(said):
        return Verdict(clause=f'its terms: "{licence.terms or licence.spdx}"')
    return found


class _Expression:
    """An SPDX expression, read from the left. Source: SPDX specification 2.3, annex D."""

    def __init__(self, text: str, purpose: Purpose, *, changed: bool) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text) or ["NOASSERTION"]
        self._purpose = purpose
        self._changed = changed

    def verdict(self) -> Verdict:
        found = self._any()
        # What has words left over is a sentence, not an expression.
        return Verdict(unknown=self._text) if self._tokens else found

    def _any(self) -> Verdict:
        found = [self._all()]
        while self._take("OR"):
            found.append(self._all())
        allowed = [v for v in found if not v.clause]
        return min(allowed, key=lambda v: v.unknown) if allowed else found[0]

    def _all(self) -> Verdict:
        found = [self._one()]
        while self._take("AND"):
            found.append(self._one())
        return max(found, key=lambda v: (bool(v.clause), bool(v.unknown)))

    def _one(self) -> Verdict:
        token = self._tokens.pop(0) if self._tokens else "NOASSERTION"
        if token == "(":  # noqa: S105 (a bracket)
            inside = self._any()
            self._take(")")
            return inside
        if self._take("WITH") and self._tokens:
            self._tokens.pop(0)
        return _of(token.removesuffix("+"), self._purpose, changed=self._changed)

    def _take(self, token: str) -> bool:
        if self._tokens and self._tokens[0].upper() == token:
            self._tokens.pop(0)
            return True
        return False


def _of(name: str, purpose: Purpose, *, changed: bool) -> Verdict:
    for pattern, forbidden, only_changed, clause in _FORBIDDEN:
        of_this = forbidden in {purpose, "sharing"} and (changed or not only_changed)
        if of_this and pattern.fullmatch(name):
            return Verdict(clause=clause.format(name=name))
    known = _OPEN.fullmatch(name) or any(p.fullmatch(name) for p, *_ in _FORBIDDEN)
    return Verdict() if known else Verdict(unknown=name)


def per_item(
    counts: Mapping[str | None, int], fallback: Licence
) -> Iterator[tuple[Licence, int]]:
    """The licences of items, of which there are so many each; an empty one is the card's."""
    for name, number in counts.items():
        yield (Licence(spdx=name) if name else fallback), number
