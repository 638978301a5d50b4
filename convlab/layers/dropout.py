"""`Dropout`: zeros by chance, while training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from convlab.layers.base import Layer
from convlab.random import SeedGenerator, generator

__all__ = ["Dropout"]


class Dropout(Layer):
    """Set numbers to 0 by chance while training, and make the others larger to match.

    Parameters
    ----------
    rate : float
        The chance of each number to become 0, from 0 to 1. The others are divided by
        ``1 - rate``, so that the mean stays. Without training, nothing happens.
    noise_shape : sequence of (int or None), optional
        Shape of the dice: along an axis of size 1 all numbers share one throw. None stands for
        the input's size. ``(None, 1, 1, None)`` drops whole channels.
    seed : int, optional
        For the same dice in every run; drawn from the global generator where None.
    **kwargs
        ``name``, ``dtype``: see `Layer`.

    Attributes
    ----------
    seed_generator : SeedGenerator
        Where a rate above 0 needs one.

    Raises
    ------
    ValueError, TypeError
        For a rate, shape or seed that cannot be.

    References
    ----------
    Srivastava et al. (2014), *Journal of Machine Learning Research* 15. Keras,
    ``keras.layers.Dropout``.

    Examples
    --------
    >>> layer = Dropout(0.5, seed=3)
    >>> layer(np.ones((1, 6)), training=True)
    array([[2., 2., 0., 0., 0., 2.]], dtype=float32)
    >>> layer(np.ones((1, 6)))
    array([[1., 1., 1., 1., 1., 1.]], dtype=float32)
    """

    _min_ndim = 0

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rate = _rate(rate)
        self.seed = seed
        self.noise_shape = None if noise_shape is None else _noise_shape(noise_shape)
        if self.rate > 0:
            self.seed_generator = SeedGenerator(seed)
        self.built = True

    def forward(self, inputs: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Throw the dice while training; the cache says who was kept."""
        if not training or self.rate == 0:
            return inputs, None
        dice = generator(self.seed_generator)
        kept = dice.random(self._dice_shape(inputs.shape), dtype=np.float32) >= self.rate
        return self._drop(inputs, kept), kept

    def backward(
        self, output_gradient: np.ndarray, cache: Any, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """To those that were kept."""
        if not input_gradient:
            return None, []
        return (output_gradient if cache is None else self._drop(output_gradient, cache)), []

    def _drop(self, array: np.ndarray, kept: np.ndarray) -> np.ndarray:
        # A choice and not a product: what is dropped is 0 even where it was infinite.
        with np.errstate(all="ignore"):
            return np.where(kept, array / np.asarray(1 - self.rate, array.dtype), 0)

    def _dice_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if self.noise_shape is None:
            return shape
        wanted = self.noise_shape
        try:
            sizes = tuple(shape[i] if size is None else size for i, size in enumerate(wanted))
            if np.broadcast_shapes(sizes, shape) != shape:
                raise ValueError
        except (IndexError, ValueError):
            raise ValueError(
                "`noise_shape` must be the input's shape, with 1 along axes that share one throw. "
                f"Received: noise_shape={wanted} for an input of shape {shape}."
            ) from None
        return sizes

    def extra_state(self) -> dict[str, Any]:
        """How far the dice have been thrown: a resumed training throws on."""
        return {"seed_generator": self.seed_generator.get_state()} if self.rate > 0 else {}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `extra_state` gave."""
        if self.rate > 0:
            self.seed_generator.set_state(state.get("seed_generator", ()))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same layer again, as Keras writes them."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }


def _rate(rate: Any) -> float:
    rule = "`rate` must be a number from 0 to 1."
    if rate is None or isinstance(rate, (str, bytes)):
        raise TypeError(f"{rule} Received: rate={rate!r}.")
    if not 0 <= rate <= 1:
        way_out = f" Write {rate / 100:g} for {rate} percent." if 1 < rate <= 100 else ""
        raise ValueError(f"{rule} Received: rate={rate!r}.{way_out}")
    return rate


def _noise_shape(noise_shape: Any) -> tuple[int | None, ...]:
    rule = "`noise_shape` must be a tuple of sizes, each a positive int or None."
    if isinstance(noise_shape, (str, bytes)) or not hasattr(noise_shape, "__iter__"):
        raise ValueError(f"{rule} Received: noise_shape={noise_shape!r}.")
    sizes = tuple(noise_shape)
    for size in sizes:
        if size is not None and (not isinstance(size, int) or size <= 0):
            raise ValueError(f"{rule} Received: noise_shape={sizes}, which holds {size!r}.")
    return sizes
