"""Keras 2's optimizers are gone; asking for one says where today's are."""

from typing import NoReturn


def __getattr__(name: str) -> NoReturn:
    if not name[:1].isupper():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise ImportError(
        f"`optimizers.legacy` is not supported, as in Keras 3. Received: optimizers.legacy.{name}. "
        f"Use optimizers.{name}, whose learning rate is called `learning_rate`."
    )
