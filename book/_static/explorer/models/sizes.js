/* Sizes only, no numbers: what follows from the arguments of a layer. The formulas are those of
   convlab.geometry, and the tests compare both. */
(function (explorer) {
  "use strict";

  /* One axis: how many windows fit, and which zeros "same" puts before and after. */
  function axis(size, taps, stride, rate, padding) {
    const reach = (taps - 1) * rate + 1;
    const same = padding === "same";
    const count = same ? Math.ceil(size / stride) : Math.floor((size - reach) / stride) + 1;
    const total = same ? Math.max((count - 1) * stride + reach - size, 0) : 0;
    const before = Math.floor(total / 2);
    return { size, taps, stride, rate, padding, reach, count, total, before, after: total - before };
  }

  /* The pixels under one window; those below 0, or from the size on, lie in the padding. */
  function places(line, cell) {
    const first = cell * line.stride - line.before;
    return Array.from({ length: line.taps }, (_, tap) => first + tap * line.rate);
  }

  /* The windows that read one pixel. */
  function readers(line, pixel) {
    return range(line.count).filter((cell) => places(line, cell).includes(pixel));
  }

  /* How often each pixel is read. */
  function reads(line) {
    return range(line.size).map((pixel) => readers(line, pixel).length);
  }

  function range(count) {
    return Array.from({ length: Math.max(count, 0) }, (_, index) => index);
  }

  /* A whole layer; `refusal` says why there is no output, or is null. */
  function layer(options) {
    const [down, across] = [0, 1].map((side) =>
      axis(
        side === 0 ? options.height : options.width,
        options.kernel_size[side],
        options.strides[side],
        options.dilation_rate[side],
        options.padding
      )
    );
    const refusal = refuse(options, down, across);
    const slices = options.channels / options.groups;
    const taps = down.taps * across.taps * slices;
    const cells = Math.max(down.count, 0) * Math.max(across.count, 0);
    return {
      down,
      across,
      refusal,
      slices,
      groups: options.groups,
      biases: options.use_bias ? options.filters : 0,
      parameters: taps * options.filters + (options.use_bias ? options.filters : 0),
      multiplyAdds: cells * taps * options.filters,
      inputShape: shape(options, options.height, options.width, options.channels),
      outputShape: shape(options, down.count, across.count, options.filters),
      kernelShape: [down.taps, across.taps, slices, options.filters],
    };
  }

  function shape(options, height, width, channels) {
    return options.data_format === "channels_first"
      ? [1, channels, height, width]
      : [1, height, width, channels];
  }

  /* The layers that Keras and convlab refuse, in the order in which convlab looks at them. */
  function refuse(options, down, across) {
    const { channels, filters, groups } = options;
    if (filters % groups !== 0) {
      return `${groups} groups do not divide ${filters} ${filters === 1 ? "filter" : "filters"} evenly.`;
    }
    if (channels % groups !== 0) {
      return `${groups} groups do not divide ${channels} ${channels === 1 ? "channel" : "channels"} evenly.`;
    }
    for (const [name, line] of [["height", down], ["width", across]]) {
      if (line.count < 1) {
        return `No window fits: it spans ${line.reach} pixels, and the ${name} is ${line.size}.`;
      }
    }
    return null;
  }

  /* The layer refuses both at once; the function conv2d takes them. */
  function stepsAndSpreads(options) {
    return Math.max(...options.strides) > 1 && Math.max(...options.dilation_rate) > 1;
  }

  /* Where a number lies in memory, counted from the start of the array. */
  function position(shapeOfArray, index) {
    return index.reduce((sum, at, side) => sum * shapeOfArray[side] + at, 0);
  }

  explorer.sizes = { axis, places, readers, reads, range, layer, stepsAndSpreads, position };
})((window.convlabExplorer = window.convlabExplorer || {}));
