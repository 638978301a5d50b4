/* The view Receptive field: layers to stack, what the last cell sees, and how well. */
(function (explorer) {
  "use strict";
  const { make, draw, number, plural, fact } = explorer.dom;
  const { stack } = explorer;
  const PACE = 700;  // milliseconds a layer, while the field grows

  function settle(state) {
    const { count } = stack.trace(state.layers, state.size, state.padding);
    return { ...state, cell: Math.max(0, Math.min(state.cell, count - 1)) };
  }

  function create(host) {
    let state = null;
    const figure = explorer.fieldFigure.create({ onPick: (cell) => host.set({ cell }) });
    const refusal = make("p", { class: "cx-refusal", role: "status" });
    const scrub = make("input", {
      type: "range", min: 0, class: "cx-slider", "aria-label": "cell of the last map",
      on: { input: () => host.set({ cell: Number(scrub.value) }) },
    });
    const where = make("output", { class: "cx-where" });
    let timer = null;
    const grow = make("button", {
      type: "button", class: "cx-button cx-grow", on: { click: () => (timer ? halt() : start()) },
    }, "Grow");
    const less = tool("‹", "one layer less", () => { halt(); host.set({ back: reached() - 1 }); });
    const more = tool("›", "one layer further back", () => { halt(); host.set({ back: reached() + 1 }); });
    const depth = make("output", { class: "cx-where" });
    const facts = make("div", { class: "cx-facts" });
    const above = draw("svg", { class: "cx-above", role: "img" });
    const aboveTitle = make("p", { class: "cx-title" });
    const panel = explorer.controls.panel("field", ["size", "padding"], host.set);
    const list = make("div", { class: "cx-layers" });
    const add = make("button", { type: "button", class: "cx-button", on: { click: addLayer } }, "Add a layer");
    const rows = [];
    const element = make("div", { class: "cx-view cx-field" },
      figure.element, refusal,
      make("div", { class: "cx-transport" }, make("span", { class: "cx-name" }, "cell"), scrub, where),
      make("div", { class: "cx-transport", role: "group", "aria-label": "growth" }, less, grow, more, depth),
      make("div", { class: "cx-beside" }, facts, make("div", { class: "cx-box" }, aboveTitle, above)),
      make("div", { class: "cx-stacking" }, list, make("div", {}, add)), panel.element);
    panel.element.classList.add("cx-short");

    function tool(sign, label, onClick) {
      return make("button", { type: "button", class: "cx-tool", "aria-label": label, title: label, on: { click: onClick } },
        make("span", { "aria-hidden": "true" }, sign));
    }

    function reached() {
      return Math.min(state.back, state.layers.length);
    }

    /* From the cell alone, back through the stack, a layer at a time. */
    function start() {
      host.set({ back: 0 });
      timer = setInterval(() => {
        host.set({ back: reached() + 1 });
        if (reached() >= state.layers.length) halt();
      }, PACE);
      grow.textContent = "Stop";
    }

    function halt() {
      clearInterval(timer);
      timer = null;
      grow.textContent = "Grow";
    }

    function change(at, changes) {
      host.set({ layers: state.layers.map((one, index) => (index === at ? { ...one, ...changes } : one)) });
    }

    /* Who sees the whole way back goes on seeing it. */
    function addLayer() {
      const back = reached() === state.layers.length ? stack.MOST_LAYERS : state.back;
      host.set({ back, layers: [...state.layers, { kind: "conv", taps: 3, stride: 1, rate: 1 }] });
    }

    /* One line of controls for each layer. */
    function layerRow(at) {
      const name = `layer ${at + 1}`;
      const kind = make("select", {
        class: "cx-select", "aria-label": `${name}, kind`, on: { change: () => change(at, { kind: kind.value }) },
      }, make("option", { value: "conv" }, "Conv2D"), make("option", { value: "pool" }, "Pooling"));
      const parts = [["taps", "size"], ["stride", "stride"], ["rate", "dilation"]].map(([key, word]) => {
        const one = explorer.controls.stepper({
          name: `${name}, ${word}`, least: 1, most: stack.LIMITS[key], onChange: (value) => change(at, { [key]: value }),
        });
        return { key, show: one.show, element: make("span", { class: "cx-part" }, make("span", { class: "cx-name" }, word), one.element) };
      });
      const drop = make("button", {
        type: "button", class: "cx-step cx-drop", "aria-label": `remove ${name}`,
        on: { click: () => host.set({ layers: state.layers.filter((_, index) => index !== at) }) },
      }, "×");
      const row = make("div", { class: "cx-layer", role: "group", "aria-label": name },
        make("span", { class: "cx-name" }, String(at + 1)), kind, parts.map((part) => part.element), drop);
      return {
        row,
        show: (layer) => {
          kind.value = layer.kind;
          parts.forEach((part) => part.show(layer[part.key]));
          parts[2].element.hidden = layer.kind === "pool";
          drop.disabled = state.layers.length === 1;
        },
      };
    }

    function showRows() {
      while (rows.length > state.layers.length) rows.pop().row.remove();
      while (rows.length < state.layers.length) {
        rows.push(layerRow(rows.length));
        list.append(rows[rows.length - 1].row);
      }
      rows.forEach((row, at) => row.show(state.layers[at]));
      add.disabled = state.layers.length >= stack.MOST_LAYERS;
    }

    /* From above: which pixels of the field are read; both axes are alike. */
    function showAbove(found) {
      const all = [...found.keys()];
      const first = Math.min(...all);
      const wide = Math.max(...all) - first + 1;
      const most = Math.max(...found.values());
      above.setAttribute("viewBox", `0 0 ${wide} ${wide}`);
      const spots = [];
      for (const [row, down] of found) {
        for (const [column, across] of found) {
          const real = [row, column].every((one) => one >= 0 && one < state.size);
          spots.push(draw("rect", {
            class: real ? "cx-spot-read" : "cx-spot-padding", x: column - first, y: row - first, width: 0.94, height: 0.94,
            "fill-opacity": real ? (0.25 + (0.75 * down * across) / most ** 2).toFixed(3) : 1,
          }));
        }
      }
      above.replaceChildren(...spots);
    }

    function showFacts(traced, found) {
      const field = traced.fields[traced.fields.length - 1];
      const share = stack.shares(found, state.size);
      const start = field.start + state.cell * field.jump;
      const center = start + (field.size - 1) / 2;
      const square = (side) => `${side} × ${side}`;
      const area = share.effective ** 2 / share.wide ** 2;
      const entries = [
        ["size", `${square(field.size)} pixels`],
        ["jump", `${plural(field.jump, "pixel")} from one cell to the next`],
        ["centre", `pixel (${number(center, 1)}, ${number(center, 1)}), from ${number(start)} to ${number(start + field.size - 1)}`],
        ["read", `${share.read ** 2} of ${field.size ** 2} pixels (${percent(share.read ** 2 / field.size ** 2)})`],
        ["effective", share.effective === share.wide ? "the whole field: no smaller middle has nearly all of the weight"
          : `the middle ${square(share.effective)} has ${percent(share.held)} of the weight, and is ${percent(area)} of the field`],
      ];
      facts.replaceChildren(...entries.map(([name, text]) => fact(name, text)));
      aboveTitle.textContent = "the field from above";
      above.setAttribute("aria-label", `The field from above: ${share.read ** 2} of ${field.size ** 2} pixels are read.`);
    }

    function percent(share) {
      return `${number(100 * share, 0)} %`;
    }

    function update(next, before) {
      state = next;
      const traced = stack.trace(state.layers, state.size, state.padding);
      const fits = traced.refusal === null;
      refusal.textContent = fits ? note() : `Layer ${traced.refusal} does not fit: no window of it lies on the map below.`;
      for (const part of [figure.element, facts, above.parentElement]) part.toggleAttribute("hidden", !fits);
      panel.show(state);
      showRows();
      less.disabled = reached() === 0;
      more.disabled = reached() === state.layers.length;
      depth.textContent = `${plural(reached(), "layer")} back`;
      scrub.max = Math.max(traced.count - 1, 0);
      scrub.value = state.cell;
      where.textContent = fits ? `${state.cell + 1} of ${traced.count}` : "–";
      if (!fits) return;
      const levels = stack.ways(traced.lines, state.cell);
      figure.show(state, traced, levels, host.width());
      figure.element.setAttribute("aria-label", describe(traced));
      showFacts(traced, levels[0]);
      showAbove(levels[0]);
      if (before) host.announce(describe(traced));
    }

    function note() {
      const at = state.layers.findIndex((one) => one.stride > 1 && one.rate > 1);
      return at < 0 ? "" : `Keras refuses layer ${at + 1}: a stride and a dilation rate above 1 together.`;
    }

    function describe(traced) {
      const field = traced.fields[traced.fields.length - 1];
      return `${plural(state.layers.length, "layer")}: cell ${state.cell} of the last map sees ${field.size} by ${field.size} pixels.`;
    }

    return { element, update, stop: halt };
  }

  function code(state) {
    return { keras: kerasCode(state), convlab: convlabCode(state) };
  }

  function kerasCode(state) {
    const layers = state.layers.map((one) => {
      const more = state.padding === "same" ? ', padding="same"' : "";
      if (one.kind === "pool") return `    keras.layers.MaxPooling2D(${one.taps}, strides=${one.stride}${more}),`;
      const steps = one.stride > 1 ? `, strides=${one.stride}` : "";
      const rate = one.rate > 1 ? `, dilation_rate=${one.rate}` : "";
      return `    keras.layers.Conv2D(1, ${one.taps}${steps}${rate}${more}),`;
    });
    return [
      "import keras", "",
      "model = keras.Sequential([",
      `    keras.Input((${state.size}, ${state.size}, 1)),`,
      ...layers,
      "])",
      "print(model.output_shape)",
    ].join("\n");
  }

  function convlabCode(state) {
    const more = state.padding === "same" ? ', padding="same"' : "";
    const lines = state.layers.flatMap((one) => {
      const call = one.kind === "pool"
        ? `Geometry.pool2d(shape, ${one.taps}, strides=${one.stride}${more})`
        : `Geometry.conv2d(shape, (${one.taps}, ${one.taps}, 1, 1)${one.stride > 1 ? `, strides=${one.stride}` : ""}${one.rate > 1 ? `, dilation_rate=${one.rate}` : ""}${more})`;
      return [`stack.append(${call})`, "shape = stack[-1].output_shape"];
    });
    return [
      "from convlab import Geometry, receptive_field", "",
      `shape = (1, ${state.size}, ${state.size}, 1)`,
      "stack = []",
      ...lines,
      "field = receptive_field(stack)",
      "print(field.size, field.jump, field.center)",
    ].join("\n");
  }

  explorer.views = explorer.views || {};
  explorer.views.field = { title: "Receptive field", settle, create, code };
})((window.convlabExplorer = window.convlabExplorer || {}));
