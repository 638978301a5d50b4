/* The view Initializer: what is left of a signal after n layers of weights by chance. */
(function (explorer) {
  "use strict";
  const { make, number, fact } = explorer.dom;
  const { range } = explorer.sizes;
  const { signals, strength, histogram, RULES } = explorer.initializers;
  const SIDE = 12;  // pixels of the noise
  const BINS = 41;
  const LEAST = -8;  // powers of ten that the strength's axis can show
  const MOST = 8;

  function create(host) {
    let state = null;
    let found = null;
    const bell = explorer.plot.create("the numbers of one layer");
    const course = explorer.plot.create("the strength of the signal from layer to layer");
    const facts = make("div", { class: "cx-facts" });
    const panels = [
      explorer.controls.panel("initializer", ["initializer", "activation", "layers", "layer"], host.set),
      explorer.controls.panel("initializer", ["channels", "kernel_size", "bias", "seed"], host.set),
    ];
    const again = make("button", {
      type: "button", class: "cx-button", on: { click: () => host.set({ seed: (state.seed % 999) + 1 }) },
    }, "Throw again");
    const element = make("div", { class: "cx-view cx-dial" },
      make("div", { class: "cx-twins" }, titled("cx-bell-title", bell.element), titled("cx-course-title", course.element)),
      facts,
      make("div", { class: "cx-panels" }, panels[0].element, make("div", { class: "cx-panel" }, panels[1].element, make("div", {}, again))));
    const follow = (event) => {
      if (event.type === "pointerdown" || event.buttons > 0) {
        host.set({ layer: Math.max(0, Math.min(Math.round(course.numbersAt(event)[0]), state.layers)) });
      }
    };
    course.element.addEventListener("pointerdown", follow);
    course.element.addEventListener("pointermove", follow);

    function titled(name, plot) {
      return make("div", { class: "cx-box" }, make("p", { class: `cx-title ${name}` }), plot);
    }

    function paintBell(width) {
      const planes = found.all[state.layer];
      const reach = niceReach(planes);
      const counts = histogram(planes, -reach, reach, BINS);
      const total = counts.reduce((sum, one) => sum + one, 0);
      const most = Math.max(...counts) / total;
      const scale = bell.begin({ width, height: 210, x: [-reach, reach], y: [0, Math.max(most * 1.1, 0.05)], yName: "share" });
      counts.forEach((count, at) => {
        const left = scale.x(-reach + (2 * reach * at) / BINS);
        const right = scale.x(-reach + (2 * reach * (at + 1)) / BINS);
        const top = scale.y(count / total);
        bell.put("rect", state.layer === 0 ? "cx-bar" : "cx-bar cx-bar-output", { x: left + 0.5, y: top, width: Math.max(right - left - 1, 0.5), height: scale.inner.bottom - top });
      });
    }

    /* Three deviations, rounded up to 1, 2 or 5 times a power of ten. */
    function niceReach(planes) {
      const wide = 3 * strength(planes);
      if (!(wide > 0) || !Number.isFinite(wide)) return 1;
      const power = 10 ** Math.floor(Math.log10(wide));
      return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= wide);
    }

    function paintCourse(width) {
      const powers = found.all.map((planes) => Math.log10(strength(planes)));
      const real = powers.filter(Number.isFinite);
      const low = Math.max(LEAST, Math.floor(Math.min(...real, -1)));
      const high = Math.min(MOST, Math.ceil(Math.max(...real, 1)));
      const every = Math.max(1, Math.ceil((high - low) / 6));
      course.begin({
        width, height: 210, x: [0, state.layers], y: [low, high], xName: "layer",
        yTicks: range(high - low + 1).map((at) => low + at).filter((one) => one % every === 0),
        marks: (power) => (power === 0 ? "1" : `10${raised(power)}`),
      });
      course.line("cx-curve", powers.map((power, layer) => [layer, power]));
      powers.forEach((power, layer) => Number.isFinite(power) && course.dot("cx-point", layer, power, 3));
      if (Number.isFinite(powers[state.layer])) course.dot("cx-mark", state.layer, powers[state.layer], 6);
    }

    function raised(power) {
      return [...String(power)].map((sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(sign)])).join("");
    }

    function showFacts() {
      const fan = state.channels * state.kernel_size ** 2;
      const spread = RULES[state.initializer][0](fan, fan);
      const values = found.all.map(strength);
      const dead = found.all[state.layer].filter((plane) => plane.every((one) => one === 0)).length;
      const gain = state.layers > 0 && values[0] > 0 ? (values[state.layers] / values[0]) ** (2 / state.layers) : 1;
      const entries = [
        ["weights", `fan-in ${fan}, standard deviation ${number(spread, 4)}`],
        [`layer ${state.layer}`, `strength ${short(values[state.layer])}, ${dead} of ${state.channels} maps are 0 everywhere`],
        ["in the end", `strength ${short(values[state.layers])}; each layer multiplies the mean square by ${number(gain, 3)}`],
      ];
      facts.replaceChildren(...entries.map(([name, text], at) => fact(name, text, ["weights", "layer", "end"][at])));
    }

    function short(value) {
      if (value === 0 || (value >= 0.001 && value < 1e5)) return number(value, 3);
      return Number.isFinite(value) ? explorer.dom.power(value) : "beyond all numbers";
    }

    function update(next, before) {
      state = next;
      const drawn = ["initializer", "activation", "layers", "channels", "kernel_size", "bias", "seed"];
      if (!before || drawn.some((name) => before[name] !== next[name])) found = signals(state, SIDE);
      panels.forEach((panel) => panel.show(state));
      const width = host.width();
      const each = width > 560 ? (width - 24) / 2 : width;
      element.querySelector(".cx-bell-title").textContent = state.layer === 0 ? "the noise that comes in" : `the numbers after layer ${state.layer}`;
      element.querySelector(".cx-course-title").textContent = "strength of the signal, layer by layer";
      paintBell(each);
      paintCourse(each);
      showFacts();
      if (before) host.announce(explorer.dom.spoken(facts));
    }

    return { element, update, signals: () => found };
  }

  function settle(state, before) {
    // Who adds a layer wants to see it.
    const last = before && state.layers !== before.layers && before.layer === before.layers;
    return { ...state, layer: last ? state.layers : Math.min(state.layer, state.layers) };
  }

  function code(state) {
    const { initializer, activation, layers, channels, kernel_size: size } = state;
    const bend = activation === "linear" ? "None" : `"${activation}"`;
    const bias = explorer.code.literal(state.bias);
    const start = (library) => (state.bias === 0 ? []
      : [`        bias_initializer=${library}initializers.Constant(${bias}),`]);
    return {
      keras: ["import keras", "import numpy as np", "",
        `x = np.random.default_rng(0).normal(size=(1, ${SIDE}, ${SIDE}, ${channels})).astype("float32")`,
        `for layer in range(${layers}):`,
        "    x = keras.layers.Conv2D(",
        `        ${channels}, ${size}, padding="same", activation=${bend},`,
        `        kernel_initializer="${initializer}",`, ...start("keras."), "    )(x)",
        "    print(layer + 1, float(keras.ops.mean(x**2)) ** 0.5)"].join("\n"),
      convlab: ["import numpy as np", `from convlab import ${state.bias === 0 ? "" : "initializers, "}layers`, "",
        `x = np.random.default_rng(0).normal(size=(1, ${SIDE}, ${SIDE}, ${channels}))`,
        `for layer in range(${layers}):`,
        "    x = layers.Conv2D(",
        `        ${channels}, ${size}, padding="same", activation=${bend},`,
        `        kernel_initializer="${initializer}",`, ...start(""), "    )(x)",
        "    print(layer + 1, float((x**2).mean()) ** 0.5)"].join("\n"),
    };
  }

  explorer.views = explorer.views || {};
  explorer.views.initializer = { title: "Initializer", settle, create, code };
})((window.convlabExplorer = window.convlabExplorer || {}));
