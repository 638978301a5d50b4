"""How fast is it, beside what, and how far from the limit? All of it measured in one run.

- `timing`: contestants take turns (`compare`), and ratios are medians of the rounds;
- `machine`: the limits of this computer (`measure_peak`, `measure_bandwidth`, `Roofline`);
- `cases`: the layers that are timed, by name (`find_cases`);
- `peers`: the same work in PyTorch, SciPy and OpenCV, where they are installed;
- `measuring`: one layer, with efficiency and error (`measure`), and how time falls with the
  number of threads (`threads`);
- `network`: a step (`training`) and an `epoch` of the article's network, beside Keras;
- `report`, `drawing`: a whole run (`measure_all`) as text, as JSON and as a picture (`draw`).
"""

from __future__ import annotations

from convlab.bench.cases import CASES, FAMILIES, Case, find_cases
from convlab.bench.drawing import draw, draw_ratios, draw_roofline
from convlab.bench.machine import Roofline, measure_bandwidth, measure_peak, measure_roofline
from convlab.bench.measuring import Error, Result, measure, threads
from convlab.bench.network import article_model, epoch, told, training
from convlab.bench.pools import allowed_threads, thread_limit
from convlab.bench.report import PARTS, measure_all, read_report, write_report
from convlab.bench.timing import Comparison, compare

__all__ = [
    "CASES",
    "FAMILIES",
    "PARTS",
    "Case",
    "Comparison",
    "Error",
    "Result",
    "Roofline",
    "allowed_threads",
    "article_model",
    "compare",
    "draw",
    "draw_ratios",
    "draw_roofline",
    "epoch",
    "find_cases",
    "measure",
    "measure_all",
    "measure_bandwidth",
    "measure_peak",
    "measure_roofline",
    "read_report",
    "thread_limit",
    "threads",
    "told",
    "training",
    "write_report",
]
