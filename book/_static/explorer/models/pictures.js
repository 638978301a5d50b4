/* Photos under kernels: the kernels of convlab.filters, fast sums over a plane, and colours. */
(function (explorer) {
  "use strict";
  const { range } = explorer.sizes;
  const GREY = [0.299, 0.587, 0.114];  // brightness of red, green and blue: ITU-R BT.601
  // Dark for negative, grey for zero, light for positive: as in the figures of the book.
  const STOPS = ["001433", "0b3c7d", "5b7fa8", "9a9a9a", "d2b25e", "ffe066", "fffce0"];

  const TABLES = {
    sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
    emboss: [-2, -1, 0, -1, 1, 1, 0, 1, 2],
    edge_detection: [-1, -1, -1, -1, 8, -1, -1, -1, -1],
    laplacian: [0, 1, 0, 1, -4, 1, 0, 1, 0],
    sobel_x: [-1, 0, 1, -2, 0, 2, -1, 0, 1],
    sobel_y: [-1, -2, -1, 0, 0, 0, 1, 2, 1],
  };

  /* A kernel by name: three rows and columns in the middle of a larger one, or made to size. */
  function kernel(name, size) {
    if (name === "box") return range(size * size).map(() => 1 / (size * size));
    if (name === "gaussian_blur") {
      const line = binomial(size);
      return line.flatMap((one) => line.map((other) => one * other));
    }
    const inner = name === "identity" ? [1] : TABLES[name];
    const side = name === "identity" ? 1 : 3;
    const first = Math.floor((size - side) / 2);
    return range(size * size).map((at) => {
      const row = Math.floor(at / size) - first;
      const column = (at % size) - first;
      const inside = row >= 0 && column >= 0 && row < side && column < side;
      return inside ? inner[row * side + column] : 0;
    });
  }

  function binomial(taps) {
    let line = [1];
    for (let count = 1; count < taps; count += 1) {
      line = [...line, 0].map((one, at) => (one + (line[at - 1] || 0)) / 2);
    }
    return line;
  }

  /* One plane of numbers under one kernel; tap by tap, so that the inner loop is a plain row. */
  function convolve(plane, down, across, weights, bias) {
    const out = new Float64Array(down.count * across.count).fill(bias);
    weights.forEach((weight, at) => {
      if (weight === 0) return;
      const rowOffset = Math.floor(at / across.taps) * down.rate - down.before;
      const columnOffset = (at % across.taps) * across.rate - across.before;
      for (let row = 0; row < down.count; row += 1) {
        const pixelRow = row * down.stride + rowOffset;
        if (pixelRow < 0 || pixelRow >= down.size) continue;
        addRow(plane, pixelRow * across.size, out, row * across.count, across, columnOffset, weight);
      }
    });
    return out;
  }

  function addRow(plane, from, out, to, across, offset, weight) {
    const first = offset < 0 ? Math.ceil(-offset / across.stride) : 0;
    const last = Math.min(across.count, Math.floor((across.size - 1 - offset) / across.stride) + 1);
    for (let cell = first, pixel = from + first * across.stride + offset; cell < last; cell += 1) {
      out[to + cell] += weight * plane[pixel];
      pixel += across.stride;
    }
  }

  /* The planes of an image as numbers from 0 to 1: its brightness, or red, green and blue. */
  function planes(image, isGrey) {
    const count = image.width * image.height;
    const { data } = image;
    const channels = range(3).map((channel) => {
      const plane = new Float64Array(count);
      for (let at = 0; at < count; at += 1) plane[at] = data[4 * at + channel] / 255;
      return plane;
    });
    if (!isGrey) return channels;
    const [red, green, blue] = channels;
    return [red.map((one, at) => GREY[0] * one + GREY[1] * green[at] + GREY[2] * blue[at])];
  }

  /* The least and the largest number of some planes. */
  function extent(all) {
    let least = Infinity;
    let most = -Infinity;
    for (const plane of all) {
      for (let at = 0; at < plane.length; at += 1) {
        if (plane[at] < least) least = plane[at];
        if (plane[at] > most) most = plane[at];
      }
    }
    return [least, most];
  }

  const KEPT = 0.97;  // share of the numbers that the scale of a figure keeps apart
  const FEW = 1000;

  /* The end of a scale for signed numbers, as the figures of the book have it: a round number that
     all, or all but the strongest few of many, keep to. */
  function limit(all) {
    const sizes = Float64Array.from(all.flatMap((plane) => Array.from(plane, Math.abs))).sort();
    const top = sizes[sizes.length > FEW ? Math.ceil(KEPT * (sizes.length - 1)) : sizes.length - 1];
    if (!(top > 0)) return 1;
    const step = 10 ** (Math.floor(Math.log10(top)) - 1);
    return Math.ceil(top / step - 1e-9) * step;
  }

  const SIGNED = range(255).map((at) => {
    const place = (at / 254) * (STOPS.length - 1);
    const stop = Math.min(Math.floor(place), STOPS.length - 2);
    return range(3).map((part) => {
      const [low, high] = [stop, stop + 1].map((one) => parseInt(STOPS[one].slice(2 * part, 2 * part + 2), 16));
      return low + (high - low) * (place - stop);
    });
  });

  /* Numbers as a picture: clipped to 0..1, or on the scale for signed numbers. */
  function paint(all, width, height, limit) {
    const image = new ImageData(width, height);
    const { data } = image;
    for (let at = 0; at < width * height; at += 1) {
      if (limit === null) {
        for (let part = 0; part < 3; part += 1) data[4 * at + part] = 255 * all[part % all.length][at];
      } else {
        const mean = all.reduce((sum, plane) => sum + plane[at], 0) / all.length;
        const share = Math.min(Math.max(mean / limit, -1), 1);
        const colour = SIGNED[Math.round(127 + 127 * share)];
        for (let part = 0; part < 3; part += 1) data[4 * at + part] = colour[part];
      }
      data[4 * at + 3] = 255;
    }
    return image;
  }

  explorer.pictures = { GREY, STOPS, TABLES, kernel, convolve, planes, extent, limit, paint };
})((window.convlabExplorer = window.convlabExplorer || {}));
