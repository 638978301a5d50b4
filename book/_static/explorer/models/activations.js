/* Activations and their derivatives, as convlab.activations has them. */
(function (explorer) {
  "use strict";
  const ALPHA = 1.6732632423543772;  // of selu: Klambauer et al., 2017
  const SCALE = 1.0507009873554805;

  function sigmoid(x) {
    return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
  }

  function softplus(x) {
    return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  }

  /* The error function: its series where that is short, else the continued fraction of erfc. */
  function erf(x) {
    const size = Math.abs(x);
    if (size > 6) return Math.sign(x);
    if (size < 2.5) {
      let term = x;
      let sum = x;
      for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n += 1) {
        term *= (-x * x) / n;
        sum += term / (2 * n + 1);
      }
      return (2 / Math.sqrt(Math.PI)) * sum;
    }
    let tail = size;
    for (let n = 60; n >= 1; n -= 1) tail = size + n / 2 / tail;
    return Math.sign(x) * (1 - Math.exp(-size * size) / Math.sqrt(Math.PI) / tail);
  }

  function bell(x) {
    return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  }

  function heap(x) {
    return (1 + erf(x / Math.SQRT2)) / 2;
  }

  function tanhOfSoftplus(x) {
    return Math.tanh(softplus(x));
  }

  /* Each: [value, derivative]. Where there is a corner, the derivative is convlab's. */
  const ACTIVATIONS = {
    linear: [(x) => x, () => 1],
    relu: [(x) => Math.max(x, 0), (x) => Number(x > 0)],
    leaky_relu: [(x) => (x > 0 ? x : 0.2 * x), (x) => (x > 0 ? 1 : 0.2)],
    relu6: [(x) => Math.min(Math.max(x, 0), 6), (x) => Number(x > 0 && x < 6)],
    elu: [(x) => (x > 0 ? x : Math.expm1(x)), (x) => (x > 0 ? 1 : Math.exp(x))],
    selu: [
      (x) => SCALE * (x > 0 ? x : ALPHA * Math.expm1(x)),
      (x) => SCALE * (x > 0 ? 1 : ALPHA * Math.exp(x)),
    ],
    gelu: [(x) => x * heap(x), (x) => heap(x) + x * bell(x)],
    silu: [(x) => x * sigmoid(x), (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x)))],
    mish: [
      (x) => x * tanhOfSoftplus(x),
      (x) => tanhOfSoftplus(x) + x * sigmoid(x) * (1 - tanhOfSoftplus(x) ** 2),
    ],
    softplus: [softplus, sigmoid],
    softsign: [(x) => x / (1 + Math.abs(x)), (x) => 1 / (1 + Math.abs(x)) ** 2],
    sigmoid: [sigmoid, (x) => sigmoid(x) * sigmoid(-x)],
    hard_sigmoid: [
      (x) => Math.min(Math.max(x / 6 + 0.5, 0), 1),
      (x) => (x > -3 && x < 3 ? 1 / 6 : 0),
    ],
    tanh: [Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
    exponential: [Math.exp, Math.exp],
  };

  explorer.activations = { ACTIVATIONS, erf };
})((window.convlabExplorer = window.convlabExplorer || {}));
