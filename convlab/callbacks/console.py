"""Lines on the screen, in characters that it can write."""

from __future__ import annotations

import sys

__all__ = ["say"]

_PLAIN = str.maketrans("━─", "=.")


def say(text: str, end: str = "\n") -> None:
    """Write at once, so that a log shows what has happened; no output at all is fine too."""
    if sys.stdout is None:  # a program without a console
        return
    try:
        sys.stdout.write(text + end)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding or "ascii"
        plain = text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
        sys.stdout.write(plain + end)
    sys.stdout.flush()
