"""The path of two weights: every arrow joins the right places, and what is allowed is shown."""

import numpy as np
import pytest
from matplotlib.path import Path

from convlab import constraints
from convlab.plotting import COLOURS, path
from test_plotting import words

KEPT = [(0.0, 1.0), (0.6, 0.8), (0.8, 0.6)]
STEPPED = [(1.2, 1.6), (1.6, 1.2)]


def panel(picture):
    return picture.figure.axes[1]


def arrows(picture, name):
    """The ends of the arrows in the colour of a role."""
    return [
        (one.xyann, one.xy)
        for one in panel(picture).texts
        if one.arrowprops and one.arrowprops["color"] == COLOURS[name].line
    ]


def green(picture):
    """Whether a place lies in what is drawn as allowed: inside an odd number of outlines."""
    (filled,) = panel(picture).collections[0].get_paths()
    outlines = [Path(points) for points in filled.to_polygons()]
    return lambda a, b: sum(one.contains_point((a, b)) for one in outlines) % 2 == 1


def test_steps_and_projections_are_arrows_from_end_to_end():
    picture = path(KEPT, STEPPED)
    steps, back = arrows(picture, "input"), arrows(picture, "kernel")
    assert np.allclose(steps, list(zip(KEPT, STEPPED, strict=False)))
    assert np.allclose(back, list(zip(STEPPED, KEPT[1:], strict=True)))


def test_without_a_constraint_there_are_steps_only():
    picture = path(KEPT)
    assert len(arrows(picture, "input")) == 2
    assert not arrows(picture, "kernel")
    assert words(picture) == ["step"]


@pytest.mark.parametrize(
    ("constraint", "inside", "outside"),
    [
        (constraints.MaxNorm(1), [(0, 0), (0.6, -0.6), (0, 0.97)], [(0, 1.1), (0.8, 0.8)]),
        (constraints.NonNeg(), [(0.1, 0.1), (1, 2)], [(-0.2, 1), (1, -0.2)]),
        (constraints.UnitNorm(), [(0, 1), (0.6, -0.8)], [(0.1, 0), (0, 0.8), (1, 1)]),
        (lambda w: w - w.mean(axis=0, keepdims=True), [(0.5, -0.5)], [(0.5, 0), (1, 1)]),
    ],
    ids=["disc", "quadrant", "circle", "line"],
)
def test_green_is_what_the_constraint_leaves_alone(constraint, inside, outside):
    allowed = green(path(KEPT, STEPPED, constraint=constraint))
    assert all(allowed(*place) for place in inside)
    assert not any(allowed(*place) for place in outside)


def test_the_key_calls_the_arrows_by_their_names():
    assert words(path(KEPT, STEPPED, names=("away", "back"))) == ["away", "back"]


def test_the_cross_marks_the_least_loss():
    picture = path(KEPT, loss=lambda a, b: (a - 2) ** 2 + 3 * (b + 1) ** 2)
    (cross,) = (line for line in panel(picture).lines if line.get_marker() == "x")
    assert np.allclose(cross.get_xydata(), [(2, -1)])


def test_points_must_be_pairs_with_a_step_between():
    with pytest.raises(
        ValueError, match=r"pairs of weights.*shape \(3, 2\), stepped of shape \(1,"
    ):
        path(KEPT, STEPPED[:1])
    with pytest.raises(ValueError, match=r"pairs of weights.*Received: kept of shape \(3,\)"):
        path([1, 2, 3])
    with pytest.raises(ValueError, match="finite"):
        path([(0, 0), (np.nan, 1)])
