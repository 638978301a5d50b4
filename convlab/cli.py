"""The command ``convlab``: explain layers, describe this computer, time, serve the book."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from convlab import __version__

if TYPE_CHECKING:
    from convlab.explanation import LayerExplanation

PLANNED = (
    "algorithm", "tile", "jobs", "threads", "scratch_bytes", "weight_bytes", "multiply_adds",
    "expected_share",
)  # fmt: skip
EXAMPLES = """\
examples:
  convlab explain "Conv2D(32, 3, strides=2, padding='same')" --input 28,28,1
  convlab explain "Conv2D(32, 5)" "MaxPooling2D(2)" --input 28,28,1
  convlab info
  convlab bench layers
  convlab warmup
  convlab book
"""
BENCH_EXAMPLES = """\
examples:
  convlab bench layers --only "56x56x64*" 1x1up
  convlab bench photo gradients --json report.json --picture report.png
  convlab bench threads
  convlab bench training --steps 8 --rounds 9
"""
EXPLAIN_EXAMPLES = """\
examples:
  convlab explain "Conv2D(32, 3, strides=2, padding='same')" --input 28,28,1
  convlab explain "Conv2D(32, 5); Flatten(); Dense(10)" --input 28,28,1
  convlab explain "Conv2D(8, 3, data_format='channels_first')" --input 3,32,32
  convlab explain "Conv2D(64, 3, padding='same')" --input 56,56,64 --plan
  convlab explain - < model.py

The text is read, never run. It may be pasted from a model: Sequential([...])
and model.add(...) around the layers, and imports before them, are looked
through.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands after ``convlab`` on the command line; that line itself where None.

    Returns
    -------
    int
        0 where all went well, 1 where the book cannot be built or served, 2 for bad input.

    Examples
    --------
    >>> main(["explain", "Flatten()", "--input", "4,4,2"])
    Flatten()
    <BLANKLINE>
    Input            (1, 4, 4, 2): batch, height, width, channels
    Output           (1, 32)
    Parameters       none
    Multiply-adds    none
    Output memory    32 numbers * 4 bytes = 128 bytes
    Receptive field  1 x 1 pixels
    0
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # a console may lack a character of a layer's name
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        status = run(options)
        sys.stdout.flush()
        return status
    except (TypeError, ValueError) as error:
        return _fail(2, f"convlab {options.command}: {error}")
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _fail(status: int, message: str) -> int:
    print(message, file=sys.stderr)
    return status


class _Parser(argparse.ArgumentParser):
    """Argparse, with errors of one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. See `{self.prog} --help`.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="convlab",
        description="Conv2D, parameter by parameter: the command beside the book.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"convlab {__version__}")
    parser.set_defaults(command="", run=lambda _: _help(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_explain(commands)
    _add_info(commands)
    _add_bench(commands)
    _add_warmup(commands)
    _add_book(commands)
    return parser


def _help(parser: argparse.ArgumentParser) -> int:
    parser.print_help()
    return 0


def _add_explain(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "explain",
        usage="%(prog)s [-h] LAYER [LAYER ...] --input SIZES\n"
        "                       [--batch N] [--plan] [--json]",
        help="sizes, padding, costs and receptive field of layers",
        description="Say what layers make of an input: shapes, padding, parameters,\n"
        "multiply-adds, memory, receptive field, and the pixels that are never read.",
        epilog=EXPLAIN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "layers",
        nargs="+",
        metavar="LAYER",
        help="layers as Keras writes them, in one argument or several; - reads standard input",
    )
    parser.add_argument(
        "--input",
        metavar="SIZES",
        help="height,width,channels of one image (for channels_first: channels,height,width), "
        "or four sizes with the batch first; needed unless the layers say it themselves, by "
        "Input(...) or input_shape=...",
    )
    parser.add_argument("--batch", type=int, metavar="N", help="images at a time (default: 1)")
    parser.add_argument(
        "--plan",
        action="store_true",
        help="say as well how the parallel implementation computes each convolution here",
    )
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.set_defaults(command="explain", run=_explain)


def _add_info(commands: argparse._SubParsersAction[_Parser]) -> None:
    text = "versions, processor, threads and folders, as convlab finds them"
    parser = commands.add_parser("info", help=text, description=f"Print {text}.")
    parser.add_argument("--json", action="store_true", help="print the same as JSON")
    parser.set_defaults(command="info", run=_info)


def _add_bench(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "bench",
        usage="%(prog)s [-h] [PART ...] [--quick] [--only NAME ...] [--threads N]\n"
        "                     [--cpu-time] [--steps N] [--rounds N] [--json [FILE]]\n"
        "                     [--picture FILE]",
        help="time layers and training beside other libraries, in turns",
        description="Time what convlab does beside the same in PyTorch, SciPy, OpenCV and Keras\n"
        "where they are installed, taking turns in one run. A quiet machine gives\n"
        "steadier numbers. In `training`, KERAS_BACKEND chooses Keras's backend.",
        epilog=BENCH_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help="machine, layers, photo, gradients, pooling, threads, training, epoch; all if none",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: a trial of the program")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="these layers; * stands for anything"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="for everybody (default: all)")
    parser.add_argument(
        "--cpu-time", action="store_true", help="count processor time (with --threads 1)"
    )
    parser.add_argument(
        "--steps", type=int, metavar="N", help="training steps in a turn (default: 8, epoch 40)"
    )
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="turns of each (default: 15, 9 or 5)"
    )
    parser.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="write the numbers as JSON; without FILE, print them and nothing else",
    )
    parser.add_argument("--picture", metavar="FILE", help="draw ratios and roofline, as PNG")
    parser.set_defaults(command="bench", run=_bench)


def _add_warmup(commands: argparse._SubParsersAction[_Parser]) -> None:
    text = "compile what the book uses, so that no first call has to"
    parser = commands.add_parser(
        "warmup", help=text, description=f"{text.capitalize()}. What is compiled is kept on disk."
    )
    parser.set_defaults(command="warmup", run=_warmup)


def _add_book(commands: argparse._SubParsersAction[_Parser]) -> None:
    text = "build the book and serve it on this computer"
    parser = commands.add_parser(
        "book", help=text, description="Build the book of this checkout and serve it until Ctrl-C."
    )
    parser.add_argument("--no-build", action="store_true", help="serve what is built already")
    parser.add_argument(
        "--port", type=int, default=0, help="where to serve (default: any free port)"
    )
    parser.set_defaults(command="book", run=_book)


def _explain(options: argparse.Namespace) -> int:
    from convlab.explanation import explain

    shape = None if options.input is None else _read_shape(options.input)
    explanation = explain(_read_texts(options.layers), shape, batch=options.batch)
    try:
        plans = _plans(explanation.layers) if options.plan else []
    except ImportError as error:  # no Numba
        return _fail(1, f"convlab explain: {error}")
    if options.json:
        facts = explanation.as_dict()
        print(_as_json({**facts, "plans": plans} if options.plan else facts))
        return 0
    print(explanation)
    for planned in plans:
        print(f"\nHow it is computed: {planned['layer']}\n{planned['text']}")
    return 0


def _plans(layers: Sequence[LayerExplanation]) -> list[dict[str, object]]:
    """What `convlab.plan` says of each convolution."""
    from convlab.kernels import check_name

    check_name("parallel")
    from convlab import plan

    found: list[dict[str, object]] = []
    for layer in layers:
        if layer.geometry and not layer.geometry.pooling:
            one = plan(layer.geometry)
            numbers = {name: getattr(one, name) for name in PLANNED}
            found.append({"layer": layer.layer, **numbers, "text": str(one)})
    return found


def _bench(options: argparse.Namespace) -> int:
    os.environ.setdefault("KERAS_BACKEND", "jax")  # the extra [bench] installs it
    from convlab import bench

    asked = bench.FAMILIES if options.only else bench.PARTS
    parts = asked if options.parts in ([], ["all"]) else options.parts
    try:
        report = bench.measure_all(
            parts, only=options.only, quick=options.quick, number_of_threads=options.threads,
            rounds=options.rounds, steps=options.steps, cpu_time=options.cpu_time,
            say=_say(silent=options.json == "-"),
        )  # fmt: skip
    except ImportError as error:  # no Numba
        return _fail(1, f"convlab bench: {error}")
    if options.json == "-":
        print(_as_json(report))
    elif options.json:
        bench.write_report(report, options.json)
    if options.picture:
        bench.draw(report).save(options.picture)
    lost = [report["left_out"][part] for part in options.parts if part in report["left_out"]]
    return _fail(1, f"convlab bench: {' '.join(lost)}") if lost else 0


def _say(silent: bool) -> Callable[[str], None]:
    def say(text: str) -> None:
        if not silent:
            print(text, flush=True)

    return say


def _warmup(options: argparse.Namespace) -> int:
    from convlab.kernels import check_name

    try:
        check_name("parallel")
    except ImportError as error:
        return _fail(1, f"convlab warmup: {error}")
    from convlab.kernels import parallel

    start = time.perf_counter()
    for what, seconds in parallel.warmup():
        print(f"  {what:40} {seconds:6.2f} s", flush=True)
    print(f"  {'in all':40} {time.perf_counter() - start:6.2f} s")
    return 0


def _as_json(facts: Mapping[str, object]) -> str:
    """Return JSON with each list of numbers, such as a shape, on one line."""
    text = json.dumps(facts, indent=2)
    return re.sub(r"\[\n[\s\d,-]+\]", lambda numbers: _on_one_line(numbers[0]), text)


def _on_one_line(numbers: str) -> str:
    return "[" + " ".join(numbers.strip("[]").split()) + "]"


def _read_texts(layers: list[str]) -> list[str]:
    from convlab.explanation.calls import MAX_CHARACTERS

    # One character more than is allowed, so that a text too long is refused and not cut.
    return [sys.stdin.read(MAX_CHARACTERS + 1) if text == "-" else text for text in layers]


def _read_shape(text: str) -> tuple[int, ...]:
    words = re.split(r"\s*[,x×]\s*|\s+", text.strip("()[] ").rstrip(", "))
    try:
        return tuple(int(word) for word in words)
    except ValueError:
        raise ValueError(
            "`--input` takes whole numbers with commas between them. "
            f"Received: --input {text!r}. For a grey image of 28 x 28: --input 28,28,1."
        ) from None


def _info(options: argparse.Namespace) -> int:
    from convlab.system import describe_system

    sections = describe_system()
    if options.json:
        print(_as_json(sections))
        return 0
    for title, facts in sections.items():
        print(title)
        for label, fact in facts.items():
            print(f"  {label:16}  {fact}")
    return 0


def _book(options: argparse.Namespace) -> int:
    from convlab.bookserver import BookError, build_book, find_book, serve_book

    try:
        root = find_book(Path.cwd())
        if not options.no_build:
            build_book(root)
        serve_book(root, options.port)
    except BookError as error:
        return _fail(1, f"convlab book: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
