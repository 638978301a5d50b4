"""Models: layers joined into networks that can be trained, saved and looked at."""

from convlab.models.configs import clone_model, model_from_json
from convlab.models.model import Model
from convlab.models.saving import load_model
from convlab.models.sequential import Sequential

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json"]
