"""XML of nested mappings, with the faults that XML files have."""

import random
from typing import Any
from xml.sax.saxutils import escape

_DOCTYPES = (
    '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;">]>',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
)


def element(name: str, content: Any, rng: random.Random) -> str:
    """Return an element of ``content``; now and then with a document type or a deep tail."""
    text = _element(name, content, rng)
    if rng.random() < 0.08:
        text = rng.choice(_DOCTYPES) + text
    if rng.random() < 0.05:
        text += "<a>" * rng.choice((1, 300, 50_000))
    return '<?xml version="1.0"?>' + text if rng.random() < 0.5 else text


def _element(name: str, content: Any, rng: random.Random) -> str:
    tag = name if name.isidentifier() or rng.random() < 0.3 else "x"
    if isinstance(content, dict):
        inside = "".join(
            _element(str(key), part, rng)
            for key, value in content.items()
            for part in (value if isinstance(value, list) else [value])
        )
    elif isinstance(content, list):
        inside = "".join(_element("item", part, rng) for part in content)
    else:
        inside = escape(str(content)) if rng.random() < 0.9 else f"<![CDATA[{content}]]>&x;"
    return f"<{tag}>{inside}</{tag}>"
