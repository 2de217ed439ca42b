"""Finds classes whose names look alike: different blanks, letters of another script, another case."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

MOST: Final = 8  # sentences
# Cyrillic, then Greek small letters that look like Latin ones, from Unicode's table of confusable characters
# (https://www.unicode.org/Public/security/latest/confusables.txt).
_CYRILLIC: Final = (
    "\u0430\u0432\u0441\u0501\u0435\u04bb\u0456\u0458\u043a\u04cf\u043c\u043e\u0440\u051b\u0455\u0442\u0443\u0445\u051d"
)
_GREEK: Final = "\u03bf\u03c1\u03bd\u03b1\u03b9\u03ba\u03c5\u03c7\u03c4"
_LATIN: Final = str.maketrans(_CYRILLIC + _GREEK, "abcdehijklmopqstyxw" + "opvaikuxt")


def look_alikes(labels: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each class whose name looks like an earlier one, and for those beyond MOST their number."""
    found = list(_alike(labels))
    yield from found[:MOST]
    if len(found) > MOST:
        yield f"{len(found) - MOST:,} more classes have names that look like another's."


def _alike(labels: Sequence[str]) -> Iterator[str]:
    cases, letters = dict[str, str](), dict[str, str]()
    for label in labels:
        case, seen = label.casefold(), _seen(label)
        if case in cases:
            yield f"Classes {cases[case]!r} and {label!r} differ in case alone; are they one?"
        elif seen in letters:
            escaped = label.encode("unicode_escape").decode()
            yield (
                f"Classes {letters[seen]!r} and {label!r} ({escaped}) differ in blanks or in letters that look alike; "
                "are they one?"
            )
        cases.setdefault(case, label)
        letters.setdefault(seen, label)


def _seen(label: str) -> str:
    """Normalise a name: letters that look alike become equal, and characters without width are removed."""
    plain = unicodedata.normalize("NFKC", label).casefold().translate(_LATIN)
    visible = "".join(letter for letter in plain if unicodedata.category(letter) != "Cf")
    return " ".join(visible.replace("_", " ").split())
