/* A state of the sweep as Python, for Keras and for convlab. */
(function (explorer) {
  "use strict";
  const { pair, nested, call } = explorer.code;

  /* Arguments that differ from the default, as both libraries spell them. */
  function options(state) {
    const parts = [];
    if (!one(state.strides)) parts.push(`strides=${pair(state.strides)}`);
    if (state.padding !== "valid") parts.push(`padding="${state.padding}"`);
    if (state.data_format !== "channels_last") parts.push(`data_format="${state.data_format}"`);
    if (!one(state.dilation_rate)) parts.push(`dilation_rate=${pair(state.dilation_rate)}`);
    if (state.groups !== 1) parts.push(`groups=${state.groups}`);
    return parts;
  }

  function one([height, width]) {
    return height === 1 && width === 1;
  }

  function arrays(state, numbers, type) {
    const order = state.data_format === "channels_first" ? "" : ".transpose(1, 2, 0)";
    const lines = [
      "# channel, row, column; then with a batch of one",
      `x = np.array(${nested(numbers.x, explorer.layer.inputShape(state))}${type})${order}[np.newaxis]`,
      "# filter, slice, row, column; then in the order of Keras",
      `kernel = np.array(${nested(numbers.kernel, explorer.layer.kernelShape(state))}${type}).transpose(2, 3, 1, 0)`,
    ];
    if (state.use_bias) lines.push(`bias = np.array([${numbers.bias.map(explorer.code.literal).join(", ")}]${type})`);
    return lines;
  }

  function keras(state, numbers) {
    const parts = [`filters=${state.filters}`, `kernel_size=${pair(state.kernel_size)}`, ...options(state)];
    if (!state.use_bias) parts.push("use_bias=False");
    return [
      "import keras",
      "import numpy as np",
      "",
      ...arrays(state, numbers, ', "float32"'),
      call("keras.layers.Conv2D", parts, "layer = "),
      "layer.build(x.shape)",
      `layer.set_weights([kernel${state.use_bias ? ", bias" : ""}])`,
      "y = layer(x)",
      "print(y.shape)",
    ].join("\n");
  }

  function convlab(state, numbers) {
    const parts = ["x", "kernel", ...(state.use_bias ? ["bias"] : []), ...options(state)];
    return [
      "import numpy as np",
      "from convlab import conv2d",
      "",
      ...arrays(state, numbers, ""),
      call("conv2d", parts, "y = "),
      "print(y.shape)",
      state.data_format === "channels_first" ? "print(y[0])" : "print(np.moveaxis(y[0], -1, 0))  # a table for each map",
    ].join("\n");
  }

  explorer.sweepCode = (state) => {
    const numbers = explorer.layer.numbers(state);
    return { keras: keras(state, numbers), convlab: convlab(state, numbers) };
  };
})((window.convlabExplorer = window.convlabExplorer || {}));
