"""What happens beside a training: records, files, an early end, a line for each epoch.

A callback's methods are called by ``fit``, ``evaluate`` and ``predict`` at the moments their
names say. They run in the order of the list, and see the same `logs`.
"""

from __future__ import annotations

from .callback import Callback, LambdaCallback
from .callback_list import CallbackList
from .csv_logger import CSVLogger
from .early_stopping import EarlyStopping
from .history import History
from .learning_rate import LearningRateScheduler
from .model_checkpoint import ModelCheckpoint
from .progress import ProgbarLogger
from .terminate import TerminateOnNaN

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "TerminateOnNaN",
]
