"""Names that nobody chose: the second convolution of a program is ``conv2d_1``."""

from __future__ import annotations

import re
import threading
from collections import Counter

__all__ = ["auto_name", "reset_names", "snake_case"]

_lock = threading.Lock()
_given: Counter[str] = Counter()


def auto_name(owner: type | str) -> str:
    """A name that no other object of this class has been given.

    Parameters
    ----------
    owner : class or str
        Whose name it is to be: the class itself, or its name.

    Returns
    -------
    str
        The class in snake case; from the second on with a number.

    Examples
    --------
    >>> auto_name("TeaCup"), auto_name("TeaCup"), auto_name("tea_cup")
    ('tea_cup', 'tea_cup_1', 'tea_cup_2')
    """
    name = snake_case(owner if isinstance(owner, str) else owner.__name__)
    with _lock:
        number = _given[name]
        _given[name] += 1
    return f"{name}_{number}" if number else name


def reset_names() -> None:
    """Count from the start again."""
    with _lock:
        _given.clear()


def snake_case(name: str) -> str:
    """A class's name as Keras writes it in lower case.

    A word begins at a capital that a small letter follows, and at a capital after a small
    letter; digits stay where they are.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Examples
    --------
    >>> [snake_case(name) for name in ("MaxPooling2D", "L1L2", "ReLU", "LeakyReLU")]
    ['max_pooling2d', 'l1l2', 're_lu', 'leaky_re_lu']
    """
    letters = re.sub(r"\W", "", name)
    return re.sub(r"(?<!^)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", letters).lower()
