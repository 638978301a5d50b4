"""The comparison of times: who runs when, and what is made of it. No time is asserted."""

from __future__ import annotations

import builtins
from types import SimpleNamespace

import pytest

import convlab
from convlab import bench
from convlab.cli import main


def test_contestants_take_turns_and_the_order_turns_around():
    calls = []
    times = bench.compare({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"  # the first pair is not counted
    assert {name: len(seconds) for name, seconds in times.seconds.items()} == {"a": 3, "b": 3}


def test_the_ratio_is_the_median_of_each_rounds_ratio_and_not_of_medians():
    times = bench.Comparison({"peer": [2.0, 9.0, 4.0], "ours": [1.0, 3.0, 8.0]})
    assert times.ratio("peer", "ours") == 2.0
    assert times.ratio("ours", "peer") == 0.5
    assert times.median("peer") / times.median("ours") == pytest.approx(4 / 3)


@pytest.mark.parametrize("name", ["rounds", "steps"])
def test_none_at_all_is_refused(name):
    with pytest.raises(ValueError, match=rf"`{name}` must be at least 1. Received: {name}=0"):
        bench.training(**{"steps": 1, "rounds": 1, "peer": peer(), name: 0})


def peer() -> SimpleNamespace:
    """convlab itself in the place of Keras."""
    return SimpleNamespace(
        layers=convlab.layers,
        optimizers=convlab.optimizers,
        Sequential=convlab.Sequential,
        backend=SimpleNamespace(backend=lambda: "itself"),
    )


def test_training_gives_times_a_ratio_and_the_share_outside_the_kernels():
    result = bench.training(steps=1, rounds=1, peer=peer())
    assert set(result["milliseconds"]) == {"convlab", "keras", "kernels"}
    assert result["ratio"] > 0
    assert result["outside"] < 1
    assert result["backend"] == "itself"


def test_both_models_begin_with_the_same_weights(monkeypatch):
    made = []
    original = bench.article_model

    def remembered(library):
        made.append(original(library))
        return made[-1]

    monkeypatch.setattr(bench, "article_model", remembered)
    monkeypatch.setattr(bench, "compare", lambda *_: bench.Comparison(
        {name: [1.0] for name in ("convlab", "keras", "kernels")}
    ))  # fmt: skip
    bench.training(steps=1, rounds=1, peer=peer())
    ours, theirs = (model.get_weights() for model in made)
    assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))


def test_without_keras_the_command_says_what_to_install(monkeypatch, capsys):
    real = builtins.__import__

    def without_keras(name, *arguments):
        if name == "keras":
            raise ImportError("No module named 'keras'")
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without_keras)
    assert main(["bench", "training"]) == 1
    assert 'pip install "convlab[bench]"' in capsys.readouterr().err


def test_the_command_prints_what_was_measured(monkeypatch, capsys):
    result = {
        "milliseconds": {"convlab": 80.0, "keras": 100.0, "kernels": 76.0}, "ratio": 1.25,
        "outside": 0.05, "backend": "jax", "steps": 8, "rounds": 9,
    }  # fmt: skip
    monkeypatch.setattr(bench, "training", lambda steps, rounds: result)
    assert main(["bench", "training"]) == 0
    assert "1.25 (Keras's time / ours)" in capsys.readouterr().out
    assert main(["bench", "training", "--json"]) == 0
    assert '"ratio": 1.25' in capsys.readouterr().out
