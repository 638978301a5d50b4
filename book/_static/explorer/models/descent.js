/* Two weights that walk down a loss, under penalties and constraints, as convlab has them. */
(function (explorer) {
  "use strict";
  const EPSILON = 1e-7;  // keeps 0 / 0 away, as Keras does

  /* The loss: half the squared distance to a minimum, stretched along one axis and turned. */
  function bowl({ minimum, stretch, turn }) {
    const angle = (turn * Math.PI) / 180;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    // Curvature 1 along the turned axis, and `stretch` across it.
    const h = [c * c + stretch * s * s, (1 - stretch) * c * s, s * s + stretch * c * c];
    return {
      angle,
      value: (w) => {
        const [x, y] = [w[0] - minimum[0], w[1] - minimum[1]];
        return 0.5 * (h[0] * x * x + 2 * h[1] * x * y + h[2] * y * y);
      },
      gradient: (w) => {
        const [x, y] = [w[0] - minimum[0], w[1] - minimum[1]];
        return [h[0] * x + h[1] * y, h[1] * x + h[2] * y];
      },
    };
  }

  const PENALTIES = {
    none: { value: () => 0, slope: () => 0 },
    L1: { value: (w) => Math.abs(w), slope: Math.sign },
    L2: { value: (w) => w * w, slope: (w) => 2 * w },
    L1L2: { value: (w) => Math.abs(w) + w * w, slope: (w) => Math.sign(w) + 2 * w },
  };

  function norm(w) {
    return Math.hypot(w[0], w[1]);
  }

  function rescaled(w, wanted) {
    const factor = wanted / (EPSILON + norm(w));
    return [w[0] * factor, w[1] * factor];
  }

  function clipped(value, least, most) {
    return Math.min(Math.max(value, least), most);
  }

  const CONSTRAINTS = {
    none: (w) => w,
    NonNeg: (w) => w.map((one) => (one >= 0 ? one : 0)),
    MaxNorm: (w, state) => rescaled(w, clipped(norm(w), 0, state.max_value)),
    UnitNorm: (w) => [w[0] / (EPSILON + norm(w)), w[1] / (EPSILON + norm(w))],
    MinMaxNorm: (w, state) => rescaled(w,
      state.rate * clipped(norm(w), state.min_value, state.max_value) + (1 - state.rate) * norm(w)),
  };

  /* Every place on the way, and where each step would have led without the constraint. */
  function path(state) {
    const { value, gradient } = bowl(state);
    const penalty = PENALTIES[state.regularizer];
    const places = [[...state.start]];
    const free = [];
    for (let step = 0; step < state.steps; step += 1) {
      const w = places[step];
      const pull = gradient(w);
      const moved = w.map((one, side) =>
        one - state.learning_rate * (pull[side] + state.strength * penalty.slope(one)));
      free.push(moved);
      places.push(CONSTRAINTS[state.constraint](moved, state));
    }
    const charged = (w) => state.strength * w.reduce((sum, one) => sum + penalty.value(one), 0);
    return { places, free, loss: value, penalty: charged };
  }

  explorer.descent = { bowl, path, norm, PENALTIES, CONSTRAINTS };
})((window.convlabExplorer = window.convlabExplorer || {}));
