/* The numbers of a layer: fills to begin with, and the sums of products. Arrays are flat;
   the input has the order channel, row, column; the kernel filter, slice, row, column. */
(function (explorer) {
  "use strict";
  const { range, places } = explorer.sizes;

  /* Small numbers that look drawn, and are the same for every reader. */
  function scatter(row, column, depth, salt) {
    let mixed = Math.imul(row + 1, 0x9e3779b1) ^ Math.imul(column + 1, 0x85ebca6b);
    mixed = Math.imul(mixed ^ Math.imul(depth + 1 + 7 * salt, 0xc2b2ae35), 0x27d4eb2f);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  const INPUTS = {
    scattered: (at) => scatter(at.row, at.column, at.depth, 0) % 5,
    ones: () => 1,
    "one pixel": (at) =>
      Number(at.row === at.rows >> 1 && at.column === at.columns >> 1),
    edge: (at) => (at.column < at.columns / 2 ? 0 : 4),
    "in order": (at) => (at.depth * at.rows + at.row) * at.columns + at.column,
  };

  const KERNELS = {
    scattered: (at) => (scatter(at.row, at.column, at.depth, 1) % 4) - 1,
    ones: () => 1,
    centre: (at) => Number(at.row === (at.rows - 1) >> 1 && at.column === (at.columns - 1) >> 1),
    difference: (at) => Math.sign(2 * at.column - (at.columns - 1)),
  };

  function fill(rule, depth, rows, columns) {
    return range(depth * rows * columns).map((index) =>
      rule({
        depth: Math.floor(index / (rows * columns)),
        row: Math.floor(index / columns) % rows,
        column: index % columns,
        rows,
        columns,
      })
    );
  }

  function fillInput(name, channels, rows, columns) {
    return fill(INPUTS[name], channels, rows, columns);
  }

  function fillKernel(name, filters, slices, rows, columns) {
    return fill(KERNELS[name], filters * slices, rows, columns);
  }

  /* Numbers of one size in another: what both have stays, the rest is taken from `rest`. */
  function refit(values, from, to, rest) {
    return rest.map((other, index) => {
      const at = unravel(index, to);
      return at.every((one, side) => one < from[side]) ? values[ravel(at, from)] : other;
    });
  }

  function unravel(index, shape) {
    const at = [];
    for (let side = shape.length - 1; side >= 0; side -= 1) {
      at[side] = index % shape[side];
      index = Math.floor(index / shape[side]);
    }
    return at;
  }

  function ravel(at, shape) {
    return at.reduce((sum, one, side) => sum * shape[side] + one, 0);
  }

  /* The products behind one cell of the output, a list for each slice of its filter. */
  function products(layer, x, kernel, filter, row, column) {
    const rows = places(layer.down, row);
    const columns = places(layer.across, column);
    const perGroup = layer.kernelShape[3] / layer.groups;
    const first = Math.floor(filter / perGroup) * layer.slices;
    return range(layer.slices).map((slice) => ({
      channel: first + slice,
      terms: rows.flatMap((r, p) =>
        columns.map((c, q) => term(layer, x, kernel, filter, slice, first + slice, p, q, r, c))
      ),
    }));
  }

  function term(layer, x, kernel, filter, slice, channel, p, q, r, c) {
    const { down, across } = layer;
    const padded = r < 0 || c < 0 || r >= down.size || c >= across.size;
    const weight = ((filter * layer.slices + slice) * down.taps + p) * across.taps + q;
    const pixel = (channel * down.size + r) * across.size + c;
    return { p, q, r, c, padded, value: padded ? 0 : x[pixel], weight: kernel[weight] };
  }

  function sumOf(parts, bias) {
    let sum = bias;
    for (const { terms } of parts) {
      // Padding is left out, as in convlab: an infinite weight over it adds nothing.
      for (const one of terms) if (!one.padded) sum += one.value * one.weight;
    }
    return sum;
  }

  /* All cells of the output, in the order filter, row, column. */
  function convolve(layer, x, kernel, bias) {
    return range(layer.kernelShape[3]).flatMap((filter) =>
      range(layer.down.count).flatMap((row) =>
        range(layer.across.count).map((column) =>
          sumOf(products(layer, x, kernel, filter, row, column), bias[filter])
        )
      )
    );
  }

  explorer.sums = {
    INPUTS, KERNELS, fillInput, fillKernel, refit, products, sumOf, convolve,
  };
})((window.convlabExplorer = window.convlabExplorer || {}));
