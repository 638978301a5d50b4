/* A state of the sweep as numbers: the layer, its input, kernel, bias and output. */
(function (explorer) {
  "use strict";
  const { sizes, sums } = explorer;

  function inputShape(state) {
    return [state.channels, state.height, state.width];
  }

  /* Where the groups do not divide, each filter keeps whole slices: nothing is computed then. */
  function kernelShape(state) {
    const slices = Math.max(1, Math.floor(state.channels / state.groups));
    return [state.filters, slices, ...state.kernel_size];
  }

  function fresh(state) {
    return {
      x: sums.fillInput(state.x_fill, ...inputShape(state)),
      kernel: sums.fillKernel(state.kernel_fill, ...kernelShape(state)),
      bias: sizes.range(state.filters).map((filter) => filter + 1),
    };
  }

  /* The numbers shown: the fills, unless the reader wrote others. */
  function numbers(state) {
    const begun = fresh(state);
    const pick = (name) => {
      const own = state[name];
      return own && own.length === begun[name].length ? own : begun[name];
    };
    const bias = state.use_bias ? pick("bias") : begun.bias.map(() => 0);
    return { x: pick("x"), kernel: pick("kernel"), bias };
  }

  /* Everything about a state at once. */
  function of(state) {
    const layer = sizes.layer(state);
    const { x, kernel, bias } = numbers(state);
    const output = layer.refusal ? [] : sums.convolve(layer, x, kernel, bias);
    return { layer, x, kernel, bias, output };
  }

  /* After a change, what the reader wrote follows the new sizes, and the cell stays inside. */
  function settle(state, before) {
    const next = { ...state };
    if (before) {
      if (state.x_fill !== before.x_fill) next.x = null;
      if (state.kernel_fill !== before.kernel_fill) next.kernel = null;
      const begun = fresh(next);
      next.x = follow(next.x, inputShape(before), inputShape(next), begun.x);
      next.kernel = follow(next.kernel, kernelShape(before), kernelShape(next), begun.kernel);
      next.bias = follow(next.bias, [before.filters], [next.filters], begun.bias);
    }
    const { down, across } = sizes.layer(next);
    next.cell = [down, across].map((line, side) =>
      Math.max(0, Math.min(next.cell[side], line.count - 1))
    );
    next.filter = Math.min(next.filter, next.filters - 1);
    return next;
  }

  function follow(own, from, to, rest) {
    if (!own || String(from) === String(to)) return own;
    return sums.refit(own, from, to, rest);
  }

  explorer.layer = { inputShape, kernelShape, numbers, of, settle };
})((window.convlabExplorer = window.convlabExplorer || {}));
