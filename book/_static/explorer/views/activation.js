/* The view Activation: the curve, its derivative, and what n layers make of both. */
(function (explorer) {
  "use strict";
  const { make, number, fact } = explorer.dom;
  const { range } = explorer.sizes;
  const { ACTIVATIONS } = explorer.activations;
  const X = [-6, 6];
  const Y = [-2, 4];
  const POINTS = 481;

  /* The signal through n such activations, and the product of the derivatives on the way. */
  function through(name, x, layers) {
    const [value, derivative] = ACTIVATIONS[name];
    let signal = x;
    let gradient = 1;
    for (let layer = 0; layer < layers; layer += 1) {
      gradient *= derivative(signal);
      signal = value(signal);
    }
    return { signal, gradient };
  }

  function create(host) {
    let state = null;
    const plot = explorer.plot.create("an activation and its derivative");
    const legend = make("ul", { class: "cx-legend" });
    const facts = make("div", { class: "cx-facts" });
    const panels = [
      explorer.controls.panel("activation", ["activation", "other"], host.set),
      explorer.controls.panel("activation", ["x", "layers"], host.set),
    ];
    const element = make("div", { class: "cx-view cx-dial" }, plot.element, legend, facts,
      make("div", { class: "cx-panels" }, panels.map((panel) => panel.element)));
    plot.element.classList.add("cx-across");
    const follow = (event) => {
      if (event.type === "pointerdown" || event.buttons > 0) {
        host.set({ x: Number(explorer.state.within(plot.numbersAt(event)[0], { least: X[0], most: X[1] }).toFixed(1)) });
      }
    };
    plot.element.addEventListener("pointerdown", follow);
    plot.element.addEventListener("pointermove", follow);

    function curve(of) {
      return range(POINTS).map((at) => {
        const x = X[0] + (at * (X[1] - X[0])) / (POINTS - 1);
        return [x, of(x)];
      });
    }

    /* A derivative that jumps is drawn with a gap, not with a slope. */
    function broken(of) {
      const points = curve(of);
      return points.flatMap((point, at) =>
        at > 0 && Math.abs(point[1] - points[at - 1][1]) > 0.1 ? [[point[0], NaN], point] : [point]);
    }

    function paint() {
      const width = host.width();
      plot.begin({ width, height: Math.round(Math.min(0.55 * width + 60, 360)), x: X, y: Y, xName: "x" });
      const names = [state.activation, ...(state.other === "none" ? [] : [state.other])];
      [...names].reverse().forEach((name, back) => {
        const first = names.length - 1 - back === 0;
        const [value, derivative] = ACTIVATIONS[name];
        plot.line(`cx-curve${first ? "" : " cx-second"}`, curve(value));
        plot.line(`cx-curve cx-slope${first ? "" : " cx-second"}`, broken(derivative));
        plot.dot(first ? "cx-mark" : "cx-mark cx-second", state.x, value(state.x), first ? 6 : 4);
      });
      plot.line("cx-here", [[state.x, Y[0]], [state.x, Y[1]]]);
      legend.replaceChildren(...names.flatMap((name, at) => [
        entry(`cx-key${at ? " cx-second" : ""}`, name),
        entry(`cx-key cx-slope${at ? " cx-second" : ""}`, `its derivative`),
      ]));
    }

    function entry(name, text) {
      return make("li", {}, make("span", { class: name }), text);
    }

    function showFacts() {
      const names = [state.activation, ...(state.other === "none" ? [] : [state.other])];
      facts.replaceChildren(...names.map((name) => {
        const [value, derivative] = ACTIVATIONS[name];
        const far = through(name, state.x, state.layers);
        return fact(name,
          `f(${number(state.x)}) = ${number(value(state.x), 4)}, derivative ${number(derivative(state.x), 4)}. `
          + `After ${explorer.dom.plural(state.layers, "layer")}: signal ${short(far.signal)}, gradient ${short(far.gradient)}.`);
      }));
    }

    function short(value) {
      if (value === 0 || (Math.abs(value) >= 0.001 && Math.abs(value) < 1e5)) return number(value, 4);
      return Number.isFinite(value) ? explorer.dom.power(value) : number(value);
    }

    function update(next, before) {
      state = next;
      panels.forEach((panel) => panel.show(state));
      paint();
      showFacts();
      plot.element.setAttribute("aria-label", `The curve of ${state.activation} and its derivative${state.other === "none" ? "" : `, beside ${state.other}`}, from −6 to 6.`);
      if (before) host.announce(explorer.dom.spoken(facts));
    }

    return { element, update };
  }

  function code(state) {
    const name = state.activation;
    const x = explorer.code.literal(state.x);
    return {
      keras: ["import keras", "", `print(keras.activations.${name}(keras.ops.array([${x}], "float32")))`,
        `layer = keras.layers.Conv2D(8, 3, activation=${name === "linear" ? "None" : `"${name}"`})`].join("\n"),
      convlab: ["import numpy as np", "from convlab import activations", "",
        `x = np.array([${x}])`, "gradient = np.ones(1)", `for layer in range(${state.layers}):`,
        `    y = activations.${name}(x)`, `    gradient = activations.backward("${name}", gradient, x, y)`, "    x = y",
        "print(x, gradient)"].join("\n"),
    };
  }

  explorer.activationDial = { through };
  explorer.views = explorer.views || {};
  explorer.views.activation = { title: "Activation", settle: (state) => state, create, code };
})((window.convlabExplorer = window.convlabExplorer || {}));
