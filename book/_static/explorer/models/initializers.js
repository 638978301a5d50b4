/* Weights by chance, and the signal that layers of them pass on. */
(function (explorer) {
  "use strict";
  const { range } = explorer.sizes;
  const CUT = 0.87962566103423978;  // deviation of a normal distribution cut at 2 deviations

  /* Numbers by chance that are the same for every reader: mulberry32, public domain. */
  function chance(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  }

  function normal(random) {
    return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  }

  function truncated(random) {
    let drawn = normal(random);
    while (Math.abs(drawn) > 2) drawn = normal(random);
    return drawn;
  }

  /* Each rule: its deviation for the fans, and the shape of its distribution. */
  const RULES = {
    glorot_uniform: [(fanIn, fanOut) => Math.sqrt(2 / (fanIn + fanOut)), "uniform"],
    glorot_normal: [(fanIn, fanOut) => Math.sqrt(2 / (fanIn + fanOut)), "cut"],
    he_uniform: [(fanIn) => Math.sqrt(2 / fanIn), "uniform"],
    he_normal: [(fanIn) => Math.sqrt(2 / fanIn), "cut"],
    lecun_uniform: [(fanIn) => Math.sqrt(1 / fanIn), "uniform"],
    lecun_normal: [(fanIn) => Math.sqrt(1 / fanIn), "cut"],
    random_normal: [() => 0.05, "normal"],
    random_uniform: [() => 0.05 / Math.sqrt(3), "uniform"],
    zeros: [() => 0, "constant"],
    ones: [() => 0, "constant"],
  };

  const DRAW = {
    uniform: (random, deviation) => Math.sqrt(3) * deviation * (2 * random() - 1),
    cut: (random, deviation) => (deviation / CUT) * truncated(random),
    normal: (random, deviation) => deviation * normal(random),
  };

  /* A kernel (filter, slice, row, column) of as many filters as channels. */
  function weights(rule, channels, size, random) {
    const fan = channels * size * size;
    const [deviation, shape] = RULES[rule];
    const count = channels * fan;
    if (shape === "constant") return new Float64Array(count).fill(rule === "ones" ? 1 : 0);
    return Float64Array.from({ length: count }, () => DRAW[shape](random, deviation(fan, fan)));
  }

  /* One layer with strides of 1 and "same" padding; planes of `side` times `side` numbers. */
  function forward(planes, kernel, bias, size, side) {
    const line = explorer.sizes.axis(side, size, 1, 1, "same");
    const taps = size * size;
    return planes.map((_, filter) => {
      const out = new Float64Array(side * side).fill(bias);
      planes.forEach((plane, slice) => {
        const from = (filter * planes.length + slice) * taps;
        const part = explorer.pictures.convolve(plane, line, line, kernel.subarray(from, from + taps), 0);
        for (let at = 0; at < out.length; at += 1) out[at] += part[at];
      });
      return out;
    });
  }

  /* The numbers of every map of every layer, from noise on: a list for each layer. */
  function signals({ initializer, activation, layers, channels, kernel_size: size, bias, seed }, side) {
    const random = chance(seed);
    const [act] = explorer.activations.ACTIVATIONS[activation];
    let planes = range(channels).map(() => Float64Array.from({ length: side * side }, () => normal(random)));
    const all = [planes];
    const kernels = [];
    for (let layer = 0; layer < layers; layer += 1) {
      const kernel = weights(initializer, channels, size, random);
      planes = forward(planes, kernel, bias, size, side).map((plane) => plane.map(act));
      kernels.push(kernel);
      all.push(planes);
    }
    return { all, kernels };
  }

  /* The root of the mean square: how strong a signal is. */
  function strength(planes) {
    let sum = 0;
    let count = 0;
    for (const plane of planes) {
      for (let at = 0; at < plane.length; at += 1) sum += plane[at] ** 2;
      count += plane.length;
    }
    return Math.sqrt(sum / count);
  }

  /* How many numbers fall between neighbouring borders; what lies outside counts at the ends. */
  function histogram(planes, from, to, bins) {
    const counts = new Array(bins).fill(0);
    for (const plane of planes) {
      for (let at = 0; at < plane.length; at += 1) {
        const bin = Math.floor(((plane[at] - from) / (to - from)) * bins);
        counts[Math.max(0, Math.min(Number.isNaN(bin) ? 0 : bin, bins - 1))] += 1;
      }
    }
    return counts;
  }

  explorer.initializers = { RULES, chance, normal, weights, forward, signals, strength, histogram };
})((window.convlabExplorer = window.convlabExplorer || {}));
