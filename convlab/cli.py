"""The command ``convlab``: explain layers, describe this computer, time, serve the book."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from convlab import __version__

EXAMPLES = """\
examples:
  convlab explain "Conv2D(32, 3, strides=2, padding='same')" --input 28,28,1
  convlab explain "Conv2D(32, 5)" "MaxPooling2D(2)" --input 28,28,1
  convlab info
  convlab bench training
  convlab book
"""
EXPLAIN_EXAMPLES = """\
examples:
  convlab explain "Conv2D(32, 3, strides=2, padding='same')" --input 28,28,1
  convlab explain "Conv2D(32, 5); Flatten(); Dense(10)" --input 28,28,1
  convlab explain "Conv2D(8, 3, data_format='channels_first')" --input 3,32,32
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
    _add_book(commands)
    return parser


def _help(parser: argparse.ArgumentParser) -> int:
    parser.print_help()
    return 0


def _add_explain(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "explain",
        usage="%(prog)s [-h] LAYER [LAYER ...] --input SIZES [--batch N] [--json]",
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
        help="time a training step beside Keras, in turns",
        description="Time what convlab does beside the same in Keras, taking turns in one run.\n"
        "KERAS_BACKEND chooses Keras's backend; a quiet machine gives steadier numbers.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=["training"], help="the article's network, one step")
    parser.add_argument("--steps", type=int, default=8, help="steps in a turn (default: 8)")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each (default: 9)")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.set_defaults(command="bench", run=_bench)


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
    print(_as_json(explanation.as_dict()) if options.json else explanation)
    return 0


def _bench(options: argparse.Namespace) -> int:
    os.environ.setdefault("KERAS_BACKEND", "jax")  # the extra [bench] installs it
    from convlab import bench

    try:
        result = bench.training(options.steps, options.rounds)
    except ImportError as error:
        return _fail(1, f"convlab bench: {error}")
    print(_as_json(result) if options.json else bench.told(result))
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
