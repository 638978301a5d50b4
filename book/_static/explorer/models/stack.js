/* Layers on top of each other, along one axis: what one cell at the end sees of the image. */
(function (explorer) {
  "use strict";
  const { axis, places } = explorer.sizes;
  const LEAST = 1;
  const LIMITS = { taps: 7, stride: 4, rate: 8 };
  const MOST_LAYERS = 6;
  const ENOUGH = 0.95;  // of the weight: what counts as the effective field

  /* "conv 3 1 2, pool 2 2" as layers, from the image on. */
  function read(text) {
    return text.split(/[,;]/).map((part) => {
      const [kind, taps, stride = 1, rate = 1] = part.trim().split(/[\s+]+/);
      return { kind, taps: Number(taps), stride: Number(stride), rate: Number(rate) };
    });
  }

  function write(layers) {
    return layers.map((one) => [one.kind, one.taps, one.stride, one.rate].join(" ")).join(",");
  }

  function keep(layers) {
    if (!Array.isArray(layers) || layers.length === 0) return null;
    const known = layers.filter((one) => one && ["conv", "pool"].includes(one.kind));
    return known.length === 0 ? null : known.slice(0, MOST_LAYERS).map(within);
  }

  function within(layer) {
    const inside = (name) => {
      const value = Math.round(layer[name]);
      return Number.isFinite(value) ? Math.min(Math.max(value, LEAST), LIMITS[name]) : LEAST;
    };
    return {
      kind: layer.kind,
      taps: inside("taps"),
      stride: inside("stride"),
      rate: layer.kind === "pool" ? 1 : inside("rate"),  // a pooling has no dilation
    };
  }

  /* Size, jump and start after each layer, and the sizes of the maps between. */
  function trace(layers, size, padding) {
    const lines = [];
    const fields = [{ size: 1, jump: 1, start: 0 }];
    let pixels = size;
    for (const layer of layers) {
      const line = axis(pixels, layer.taps, layer.stride, layer.rate, padding);
      const last = fields[fields.length - 1];
      lines.push(line);
      fields.push({
        size: last.size + (line.reach - 1) * last.jump,
        jump: last.jump * line.stride,
        start: last.start - line.before * last.jump,
      });
      pixels = line.count;
      if (pixels < 1) return { lines, fields, count: 0, refusal: lines.length };
    }
    return { lines, fields, count: pixels, refusal: null };
  }

  /* Cells that the last cell depends on, for each level from the image on, with the number of
     ways that lead from there to it. Below 0 and from the size on, they lie in the padding. */
  function ways(lines, cell) {
    const levels = [new Map([[cell, 1]])];
    for (const line of [...lines].reverse()) {
      const below = new Map();
      for (const [at, count] of levels[0]) {
        // A cell in the padding is a zero: it reads nothing.
        if (levels.length > 1 && (at < 0 || at >= line.count)) continue;
        for (const place of places(line, at)) below.set(place, (below.get(place) || 0) + count);
      }
      levels.unshift(below);
    }
    return levels;
  }

  /* How much of the field counts: pixels read, and the middle part that holds most weight. */
  function shares(found, size) {
    const real = [...found].filter(([at]) => at >= 0 && at < size);
    const all = [...found.keys()];
    const wide = Math.max(...all) - Math.min(...all) + 1;
    const total = real.reduce((sum, [, count]) => sum + count, 0);
    const middle = (Math.max(...all) + Math.min(...all)) / 2;
    let width = wide % 2 === 0 ? 2 : 1;
    const inside = () => real
      .filter(([at]) => Math.abs(at - middle) <= (width - 1) / 2)
      .reduce((sum, [, count]) => sum + count, 0) / total;
    // Both axes count: a share p of the width's weight is p times p of the area's.
    while (width < wide && inside() ** 2 < ENOUGH) width += 2;
    return { read: real.length, wide, effective: width, held: inside() ** 2 };
  }

  explorer.stack = { read, write, keep, trace, ways, shares, LIMITS, MOST_LAYERS };
})((window.convlabExplorer = window.convlabExplorer || {}));
