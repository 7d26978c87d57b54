"""Uses that licences forbid, by SPDX identifier, with the text of the clause."""

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
"""Identifier pattern, forbidden purpose, True if only for changed pixels, and clause."""

# Sources: licence texts on spdx.org and creativecommons.org. All allow copying, sharing and
# commercial use under conditions (attribution, same licence ...).
_OPEN = re.compile(
    r"0BSD|AGPL-.*|Apache-.*|Artistic-.*|BSD-.*|BSL-1\.0|CC-BY-[1234]\.[05].*"
    r"|CC-BY-SA-[1234]\.[05].*|CC0-1\.0|CC-PDDC|CDLA-Permissive-.*|CDLA-Sharing-1\.0|EUPL-.*"
    r"|GFDL-.*|GPL-.*|ISC|LGPL-.*|MIT|MIT-0|MPL-.*|OFL-1\..*|ODbL-1\.0|ODC-By-1\.0|OGL-UK-.*"
    r"|PDDL-1\.0|Unlicense|W3C|Zlib"
)
_NON_COMMERCIAL = re.compile(r"non-?commercial|research|\bby-nc\b", re.IGNORECASE)
_TOKEN = re.compile(r"\(|\)|[^\s()]+")


@dataclass(frozen=True)
class LicenceVerdict:
    """Result for an export: the clause that forbids it, or the unknown licence, or neither."""

    clause: str = ""
    unknown: str = ""


def licence_verdict(licence: Licence, purpose: Purpose, *, changed: bool) -> LicenceVerdict:
    """Check whether a licence allows an export.

    ``A AND B`` requires that both allow it, ``A OR B`` that one does. For unknown identifiers
    (NOASSERTION, LicenseRef-..., plain text), identifier and terms are searched for words that
    forbid commercial use.

    Args:
        licence: licence of the data.
        purpose: purpose of the export.
        changed: the export changes pixels.
    """
    if purpose == "research":
        return LicenceVerdict()
    if purpose in licence.forbids:
        return LicenceVerdict(clause=f'its terms: "{licence.terms or licence.spdx}"')
    result = _Expression(licence.spdx, purpose, changed=changed).evaluate()
    text = f"{licence.spdx} {licence.terms}".strip()
    if result.unknown and purpose == "commercial" and _NON_COMMERCIAL.search(text):
        return LicenceVerdict(clause=f'its terms: "{licence.terms or licence.spdx}"')
    return result


class _Expression:
    """Parser of SPDX expressions. Source: SPDX specification 2.3, annex D."""

    def __init__(self, text: str, purpose: Purpose, *, changed: bool) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text) or ["NOASSERTION"]
        self._purpose = purpose
        self._changed = changed

    def evaluate(self) -> LicenceVerdict:
        result = self._any_of()
        # Remaining tokens mean that the text is not an expression.
        return LicenceVerdict(unknown=self._text) if self._tokens else result

    def _any_of(self) -> LicenceVerdict:
        results = [self._all_of()]
        while self._take("OR"):
            results.append(self._all_of())
        allowed = [v for v in results if not v.clause]
        return min(allowed, key=lambda v: v.unknown) if allowed else results[0]

    def _all_of(self) -> LicenceVerdict:
        results = [self._term()]
        while self._take("AND"):
            results.append(self._term())
        return max(results, key=lambda v: (bool(v.clause), bool(v.unknown)))

    def _term(self) -> LicenceVerdict:
        token = self._tokens.pop(0) if self._tokens else "NOASSERTION"
        if token == "(":  # noqa: S105 (a bracket)
            inside = self._any_of()
            self._take(")")
            return inside
        if self._take("WITH") and self._tokens:
            self._tokens.pop(0)
        return _verdict_of(token.removesuffix("+"), self._purpose, changed=self._changed)

    def _take(self, token: str) -> bool:
        if self._tokens and self._tokens[0].upper() == token:
            self._tokens.pop(0)
            return True
        return False


def _verdict_of(name: str, purpose: Purpose, *, changed: bool) -> LicenceVerdict:
    for pattern, forbidden, only_changed, clause in _FORBIDDEN:
        applies = forbidden in {purpose, "sharing"} and (changed or not only_changed)
        if applies and pattern.fullmatch(name):
            return LicenceVerdict(clause=clause.format(name=name))
    known = _OPEN.fullmatch(name) or any(p.fullmatch(name) for p, *_ in _FORBIDDEN)
    return LicenceVerdict() if known else LicenceVerdict(unknown=name)


def licence_counts(
    counts: Mapping[str | None, int], fallback: Licence
) -> Iterator[tuple[Licence, int]]:
    """Yield licences of items with their counts; ``fallback`` replaces empty ones."""
    for name, number in counts.items():
        yield (Licence(spdx=name) if name else fallback), number
