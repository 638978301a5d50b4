"""Models: layers joined into networks that can be trained, saved and looked at."""

from convlab.models.model import Model
from convlab.models.saving import load_model
from convlab.models.sequential import Sequential

__all__ = ["Model", "Sequential", "load_model"]
