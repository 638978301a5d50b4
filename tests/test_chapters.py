"""Every chapter keeps the promises that nbval cannot check.

nbval runs the notebooks and compares their outputs; these guards make sure that there is
something to compare, that nothing escapes, and that a chapter has all its parts.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat import NotebookNode

import guards
import notebooks

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = [path.stem for path in notebooks.chapters()]
PARAMETERS = (
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "data_format",
    "dilation_rate",
    "groups",
    "activation",
    "use_bias",
    "kernel_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "bias_constraint",
)

# The cells whose outputs are not compared, or that raise on purpose:
# (chapter, first line of the cell) -> the reason, "timing: ..." or "error: ...".
ESCAPES: dict[tuple[str, str], str] = {
    (
        "data_format",
        "import time",
    ): "timing: a sum over channels in both orders",
    (
        "implementations",
        "def nanoseconds(implementation, size, channels, filters, runs):",
    ): "timing: what one multiply-add costs in each implementation",
    (
        "implementations",
        "sides = [6, 10, 18, 34, 66, 130]",
    ): "timing: where compiled loops begin to pay",
    ("groups", "def shortest(groups):"): "timing: a depthwise layer against an ordinary one",
    (
        "how_fast",
        "roof = bench.measure_roofline()",
    ): "timing: peak and bandwidth of the machine",
    (
        "how_fast",
        "source = np.ones(2**24, np.float32)  # 67 MB, and as much to write",
    ): "timing: a loop from the slope to the roof",
    (
        "how_fast",
        "times = bench.compare(tasks, rounds=5, turn=0.004)",
    ): "timing: the layers of the chapter",
    (
        "how_fast",
        "plotting.roofline(roof.peak / 1e9, roof.bandwidth / 1e9, points)",
    ): "timing: the same, drawn",
    (
        "loops_to_lanes",
        'measure("peak", only_fmas, work=2 * STEPS * lanes)',
    ): "timing: the peak of one core",
    (
        "loops_to_lanes",
        'measure("channels inside", channels_inside, *arguments)',
    ): "timing: plain loops",
    (
        "loops_to_lanes",
        'measure("filters inside", filters_inside, *arguments)',
    ): "timing: the loops turned round",
    (
        "loops_to_lanes",
        'look("channels inside", channels_inside, 10)',
    ): "timing: both, with the instructions that this processor got",
    (
        "loops_to_lanes",
        'measure("the same, fused", fused, *arguments)',
    ): "timing: fused, with the instructions that this processor got",
    ("loops_to_lanes", "threads = numba.get_num_threads()"): "timing: the loops on all cores",
    (
        "loops_to_lanes",
        'measure("four pixels", four_pixels, *arguments)',
    ): "timing: four pixels at once",
    ("loops_to_lanes", "moved = placed(output, beyond=1)"): "timing: sums across cache lines",
    (
        "loops_to_lanes",
        "chains = [n for n in (1, 2, 4, 8, 16) if n + 2 <= machine().registers]",
    ): "timing: chains of multiply-adds",
    ("loops_to_lanes", 'show("chains: 1")'): "timing: one chain beside the peak",
    (
        "loops_to_lanes",
        'names = [f"tile {p} x {v}" for p, v in shapes]',
    ): "timing: register tiles",
    (
        "loops_to_lanes",
        "def count(name, function):",
    ): "timing: all of them, with the instructions that this processor got",
    (
        "loops_to_lanes",
        "too_large = (28, 2) if many else (6, 4)",
    ): "timing: a tile that does not fit the registers",
    (
        "loops_to_lanes",
        """measure("convlab's conv2d", whole)""",
    ): "timing: the whole layer",
    (
        "loops_to_lanes",
        'steps = ["channels inside", "filters inside", "the same, fused"]',
    ): "timing: all steps, drawn",
    ("loops_to_lanes", 'measure("on all cores", whole, threads)'): "timing: on all cores",
    (
        "measuring",
        "def usual_step(clock, looks=1000):",
    ): "timing: how fine the clock is",
    ("measuring", "def seconds_of(function):"): "timing: first calls and later ones",
    (
        "measuring",
        "small = rng.random(50_000, np.float32)",
    ): "timing: warm and cold caches",
    ("measuring", "a = rng.random(2**23)  # 67 MB"): "timing: new pages and used ones",
    ("measuring", "numbers = rng.random(20_000)"): "timing: 200 calls of one function",
    (
        "measuring",
        "sys.setswitchinterval(0.0005)  # seconds",
    ): "timing: one after the other, with neighbours for the second",
    (
        "measuring",
        'quiet = bench.compare({"a": work, "b": work}, rounds=5)',
    ): "timing: in turns, with neighbours from the middle on",
    ("measuring", "times = bench.compare("): "timing: a function against itself",
    (
        "measuring",
        'rows = bench.threads(["56x56x64", "depthwise"], rounds=5, peers=[])',
    ): "timing: one thread and more",
    ("measuring", "def one_of_ten():"): "timing: beside threads that spin",
    ("measuring", "long = rng.random(50_000)"): "timing: float64 and float32",
    (
        "measuring",
        "matrix = rng.random((512, 512), np.float32)",
    ): "timing: work handed over, and work done",
    (
        "measuring",
        'case = bench.find_cases(["photo7x7"])[0]',
    ): "timing: one row of convlab bench",
    (
        "winograd",
        "def milliseconds(shape, algorithms, runs=25):",
    ): "timing: Winograd's algorithms against direct sums",
    (
        "gradients_fast",
        "def milliseconds(function, *arguments, runs=7, **options):",
    ): "timing: the five parts of a training step",
    (
        "gradients_fast",
        "halving = Geometry.conv2d(",
    ): "timing: a strided input gradient by phases and over spread zeros",
}

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS)
each_parameter = pytest.mark.parametrize("chapter", PARAMETERS)


def read(chapter: str) -> NotebookNode:
    """Read the notebook of a chapter as it is committed."""
    return nbformat.read(notebooks.BOOK / f"{chapter}.ipynb", as_version=4)


@each_chapter
def test_notebook_is_in_normal_form(chapter):
    assert notebooks.problems(notebooks.BOOK / f"{chapter}.ipynb") == []


@each_chapter
def test_every_cell_was_run_in_order(chapter):
    assert list(guards.never_run(read(chapter))) == []


@each_chapter
def test_no_output_escapes_comparison_unlisted(chapter):
    listed = [line for name, line in ESCAPES if name == chapter]
    found = list(guards.escapes(read(chapter)))
    assert guards.unnamed(found, listed) == []
    assert list(guards.uncompared_types(read(chapter))) == []


@pytest.mark.parametrize(("chapter", "line"), ESCAPES)
def test_each_listed_escape_exists_and_has_its_reason(chapter, line):
    marks = [mark for first, mark in guards.escapes(read(chapter)) if first == line]
    expected = "error: " if marks == ["raises-exception"] else "timing: "
    assert marks, f"no cell of {chapter} begins with {line!r} and escapes"
    assert ESCAPES[chapter, line].startswith(expected)


@each_chapter
def test_outputs_hold_no_warnings_errors_or_machine_names(chapter):
    assert list(guards.noise(read(chapter))) == []


@each_chapter
def test_every_picture_has_telling_alt_text(chapter):
    assert list(guards.poor_alt_texts(read(chapter))) == []


# The first chapter shows how an exercise answers, with answers given.
@pytest.mark.parametrize("chapter", [chapter for chapter in CHAPTERS if chapter != "start"])
def test_every_exercise_has_a_folded_hint_and_solution(chapter):
    assert list(guards.poor_exercises(read(chapter), chapter)) == []


@each_parameter
def test_parameter_chapter_has_its_bones(chapter):
    assert list(guards.missing_bones(read(chapter))) == []


@each_parameter
def test_parameter_chapter_has_three_exercises_and_three_figures(chapter):
    notebook = read(chapter)
    assert len(guards.exercises(notebook)) >= 3
    assert len(guards.pictures(notebook)) >= 3


def test_table_of_contents_lists_every_notebook():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"]] + [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    listed = {Path(file).name for file in files if (ROOT / f"{file}.ipynb").exists()}
    assert listed == set(CHAPTERS)
    assert set(PARAMETERS) <= listed


@each_chapter
def test_code_fits_the_page(chapter):
    assert list(guards.long_lines(read(chapter))) == []
