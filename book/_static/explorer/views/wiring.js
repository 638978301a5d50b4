/* The view Wiring: which channels feed which filters, and what that costs. */
(function (explorer) {
  "use strict";
  const { make, draw, count, number } = explorer.dom;
  const { range } = explorer.sizes;
  const ENOUGH = 4;  // channels and filters of a preset that finds too few
  const PITCH = 34;  // pixels from one node to the next

  /* The layers of a state: the layer itself, and the 1 × 1 behind it where it is asked for. */
  function layersOf(state) {
    const first = explorer.sizes.layer({ ...state, dilation_rate: [1, 1], data_format: "channels_last" });
    if (!state.mix || first.refusal) return [first];
    return [first, pointwise(state, first)];
  }

  function pointwise(state, before) {
    return explorer.sizes.layer({
      height: before.down.count, width: before.across.count, channels: state.filters, filters: state.mixed,
      groups: 1, kernel_size: [1, 1], strides: [1, 1], dilation_rate: [1, 1], padding: "valid",
      use_bias: state.use_bias, data_format: "channels_last",
    });
  }

  /* An ordinary layer with the same input and output, to compare with. */
  function ordinary(state) {
    const filters = state.mix ? state.mixed : state.filters;
    return explorer.sizes.layer({
      ...state, filters, groups: 1, dilation_rate: [1, 1], data_format: "channels_last",
    });
  }

  /* Whether a channel feeds a filter. */
  function feeds(channel, filter, channels, filters, groups) {
    return Math.floor(channel / (channels / groups)) === Math.floor(filter / (filters / groups));
  }

  function create(host) {
    let state = null;
    let look = null;
    const svg = draw("svg", { class: "cx-wires", "aria-hidden": "true" });
    const columns = ["channel", "filter", "mixed"].map(column);
    const board = make("div", { class: "cx-board" }, svg, columns.map((one) => one.element));
    const matrix = make("div", { class: "cx-matrix", "aria-hidden": "true" });
    const words = make("p", { class: "cx-reading" });
    const refusal = make("p", { class: "cx-refusal", role: "status" });
    const table = make("table", { class: "cx-table" });
    const quick = make("div", { class: "cx-row", role: "group", "aria-label": "groups at once" },
      ["ordinary", "two groups", "depthwise"].map((name) =>
        make("button", { type: "button", class: "cx-button", on: { click: () => pickGroups(name) } }, name)));
    const panels = [
      explorer.controls.panel("wiring", ["channels", "filters", "groups", "mix", "mixed"], host.set),
      explorer.controls.panel("wiring", ["kernel_size", "strides", "padding", "height", "width", "use_bias"], host.set),
    ];
    const slices = make("div", { class: "cx-box" }, make("p", { class: "cx-title" }, "slices of the kernel"), matrix);
    const element = make("div", { class: "cx-view cx-wiring" },
      make("div", { class: "cx-beside cx-wired" }, board, slices), words, refusal,
      make("div", { class: "cx-panels" },
        make("div", { class: "cx-panel" }, quick, panels[0].element), panels[1].element),
      make("div", { class: "cx-scroll", tabindex: "0", role: "group", "aria-label": "costs" }, table));
    /* Groups at once, with channels and filters that they divide, and enough to see a difference. */
    function pickGroups(name) {
      const channels = state.channels > 1 ? state.channels : ENOUGH;
      if (name === "ordinary") host.set({ groups: 1 });
      else if (name === "two groups") host.set({ groups: 2, channels: halved(channels), filters: halved(state.filters) });
      else host.set({ groups: channels, channels, filters: state.filters % channels ? channels : state.filters });
    }

    function halved(nodes) {
      return Math.max(nodes + (nodes % 2), ENOUGH);
    }

    /* A column of nodes; the arrows move through it. */
    function column(role) {
      const title = make("span", { class: "cx-title" });
      const list = make("div", { class: "cx-nodes", role: "group" });
      const nodes = [];
      function need(wanted) {
        while (nodes.length > wanted) nodes.pop().remove();
        while (nodes.length < wanted) {
          const at = nodes.length;
          nodes.push(make("button", {
            type: "button", class: `cx-node cx-node-${role}`, tabindex: at === 0 ? "0" : "-1",
            on: {
              pointerenter: (event) => event.pointerType !== "touch" && see({ role, at }),
              pointerleave: () => see(null),
              focus: () => see({ role, at }, true),
              blur: () => see(null),
              keydown: (event) => step(event, at),
            },
          }, String(at)));
          list.append(nodes[at]);
        }
      }
      function step(event, at) {
        const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        const next = by && nodes[at + by];
        if (!next) return;
        event.preventDefault();
        nodes.forEach((node) => { node.tabIndex = node === next ? 0 : -1; });
        next.focus();
      }
      return { element: make("div", { class: "cx-nodes-column" }, title, list), title, nodes, need, role, list };
    }

    function see(next, announces = false) {
      look = next;
      if (!state) return;
      light();
      if (announces) host.announce(words.textContent);
    }

    /* The wires: [from column, from node, to node, group]. */
    function wires(layers) {
      const [first] = layers;
      if (first.refusal) return [];
      const all = range(state.filters).flatMap((filter) => range(state.channels)
        .filter((channel) => feeds(channel, filter, state.channels, state.filters, state.groups))
        .map((channel) => [0, channel, filter]));
      if (layers.length === 1) return all;
      return [...all, ...range(state.mixed).flatMap((to) => range(state.filters).map((from) => [1, from, to]))];
    }

    /* Nodes that hang together with the one looked at, as "column node". */
    function together(all) {
      if (!look) return null;
      const start = ["channel", "filter", "mixed"].indexOf(look.role);
      const on = new Set([`${start} ${look.at}`]);
      for (const [from, a, b] of all) if (from >= start && on.has(`${from} ${a}`)) on.add(`${from + 1} ${b}`);
      const back = new Set([`${start} ${look.at}`]);
      for (const [from, a, b] of [...all].reverse()) {
        if (from < start && back.has(`${from + 1} ${b}`)) back.add(`${from} ${a}`);
      }
      return new Set([...on, ...back]);
    }

    function light() {
      const layers = layersOf(state);
      const all = wires(layers);
      const on = together(all);
      drawWires(all, on, layers.length);
      columns.forEach((one, at) => one.nodes.forEach((node, index) =>
        node.classList.toggle("cx-on", Boolean(on) && on.has(`${at} ${index}`))));
      words.textContent = layers[0].refusal ? "" : sentence(layers, all);
    }

    function drawWires(all, on, stages) {
      const gap = 100 / stages;
      const tall = Math.max(state.channels, state.filters, stages > 1 ? state.mixed : 0) * PITCH;
      const counts = [state.channels, state.filters, state.mixed];
      const y = (at, column) => (tall - counts[column] * PITCH) / 2 + (at + 0.5) * PITCH;
      svg.setAttribute("viewBox", `0 0 100 ${tall}`);
      svg.setAttribute("preserveAspectRatio", "none");
      board.style.setProperty("--tall", `${tall}px`);
      svg.replaceChildren(...all.map(([from, a, b]) => {
        const lit = on && on.has(`${from} ${a}`) && on.has(`${from + 1} ${b}`);
        return draw("line", {
          class: `cx-line-wire${lit ? " cx-on" : on ? " cx-off" : ""}`, "vector-effect": "non-scaling-stroke",
          x1: from * gap, y1: y(a, from), x2: (from + 1) * gap, y2: y(b, from + 1),
        });
      }));
    }

    function sentence(layers, all) {
      const [first] = layers;
      const table = `${first.down.taps} × ${first.across.taps}`;
      const feedsOf = (column, at) => all.filter(([from, a]) => from === column && a === at).map(([, , b]) => b);
      const fedBy = (column, at) => all.filter(([from, , b]) => from === column - 1 && b === at).map(([, a]) => a);
      if (!look) {
        const slices = state.filters * first.slices;
        return `${count(slices)} of ${count(state.filters * state.channels)} possible slices, each of ${table} weights.`;
      }
      if (look.role === "channel") return `Channel ${look.at} feeds ${listed("filter", feedsOf(0, look.at))}.`;
      if (look.role === "mixed") return `Filter ${look.at} of the 1 × 1 layer mixes ${listed("map", fedBy(2, look.at))}: a weight for each.`;
      const from = fedBy(1, look.at);
      return `Filter ${look.at} sees ${listed("channel", from)}: ${from.length === 1 ? "one slice" : `${from.length} slices`} of ${table} weights.`;
    }

    function listed(word, all) {
      const name = all.length === 1 ? word : `${word}s`;
      const run = all.length > 2 && all[all.length - 1] - all[0] === all.length - 1;
      if (run) return `${name} ${all[0]} to ${all[all.length - 1]}`;
      return `${name} ${all.join(" and ")}`;
    }

    function showMatrix(layer) {
      slices.toggleAttribute("hidden", Boolean(layer.refusal));
      if (layer.refusal) return;
      matrix.style.setProperty("--columns", state.channels);
      matrix.replaceChildren(...range(state.filters).flatMap((filter) => range(state.channels).map((channel) =>
        make("span", {
          class: feeds(channel, filter, state.channels, state.filters, state.groups) ? "cx-slice" : "cx-no-slice",
        }))));
    }

    function showTable(layers) {
      const plain = ordinary(state);
      if (layers[0].refusal || plain.refusal) { table.replaceChildren(); return; }
      const name = state.groups === 1 ? "this layer" : state.groups === state.channels ? "depthwise" : `groups=${state.groups}`;
      const rows = [[name, layers[0]]];
      if (layers.length > 1) rows.push(["1 × 1", layers[1]], ["together", sum(layers)]);
      const own = layers.length > 1 ? sum(layers) : layers[0];
      const share = (key) => `${number((100 * own[key]) / plain[key], 1)} %`;
      table.replaceChildren(
        make("thead", {}, make("tr", {}, ["layer", "kernel", "parameters", "multiply-adds"].map((head) => make("th", { scope: "col" }, head)))),
        make("tbody", {}, [...rows, ["ordinary layer", plain]].map(([label, one]) => line(label, one))),
        make("tfoot", {}, make("tr", {}, make("th", { scope: "row" }, "share"), make("td", {}),
          make("td", { data: { cell: "share parameters" } }, share("parameters")),
          make("td", { data: { cell: "share multiplyAdds" } }, share("multiplyAdds")))));
    }

    function sum(layers) {
      return {
        parameters: layers.reduce((all, one) => all + one.parameters, 0),
        multiplyAdds: layers.reduce((all, one) => all + one.multiplyAdds, 0),
      };
    }

    function line(label, one) {
      return make("tr", {}, make("th", { scope: "row" }, label),
        make("td", {}, one.kernelShape ? `(${one.kernelShape.join(", ")})` : ""),
        make("td", { data: { cell: `${label} parameters` } }, count(one.parameters)),
        make("td", { data: { cell: `${label} multiplyAdds` } }, count(one.multiplyAdds)));
    }

    function update(next, before) {
      state = next;
      const layers = layersOf(state);
      const counts = [state.channels, state.filters, layers.length > 1 ? state.mixed : 0];
      const names = ["channels", "filters", "1 × 1 filters"];
      columns.forEach((one, at) => {
        one.need(counts[at]);
        one.title.textContent = names[at];
        one.list.setAttribute("aria-label", names[at]);
        one.nodes.forEach((node, index) => node.setAttribute("aria-label", `${names[at].replace(/s$/, "")} ${index}`));
        one.element.toggleAttribute("hidden", counts[at] === 0);
      });
      refusal.textContent = layers[0].refusal || "";
      words.hidden = Boolean(layers[0].refusal);
      panels.forEach((panel) => panel.show(state));
      panels[0].part("mixed").element.toggleAttribute("hidden", !state.mix);
      light();
      showMatrix(layers[0]);
      showTable(layers);
      if (before && !layers[0].refusal) host.announce(words.textContent);
    }

    return { element, update };
  }

  function code(state) {
    const { pair, call } = explorer.code;
    const steps = state.strides.every((one) => one === 1) ? [] : [`strides=${pair(state.strides)}`];
    const rest = [
      ...steps, ...(state.padding === "valid" ? [] : [`padding="${state.padding}"`]),
      ...(state.groups === 1 ? [] : [`groups=${state.groups}`]),
    ];
    const bias = state.use_bias ? [] : ["use_bias=False"];
    const indent = (text) => text.replace(/^/gm, "    ");
    const keras = [
      "import keras", "", "model = keras.Sequential([",
      `    keras.Input((${state.height}, ${state.width}, ${state.channels})),`,
      `${indent(call("keras.layers.Conv2D", [state.filters, pair(state.kernel_size), ...rest, ...bias]))},`,
      ...(state.mix ? [`${indent(call("keras.layers.Conv2D", [state.mixed, 1, ...bias]))},`] : []),
      "])", "print(model.count_params())",
    ];
    const slices = Math.floor(state.channels / state.groups);
    const [rows, columns] = state.kernel_size;
    const biased = state.use_bias ? "" : "use_bias=False";
    const convlab = [
      "from convlab import Geometry", "",
      call("Geometry.conv2d", [
        `(1, ${state.height}, ${state.width}, ${state.channels})`, `(${rows}, ${columns}, ${slices}, ${state.filters})`, ...rest,
      ], "layer = "),
      `print(layer.parameters(${biased}), layer.multiply_adds)`,
      ...(state.mix ? [
        `mix = Geometry.conv2d(layer.output_shape, (1, 1, ${state.filters}, ${state.mixed}))`,
        `print(mix.parameters(${biased}), mix.multiply_adds)`,
      ] : []),
    ];
    return { keras: keras.join("\n"), convlab: convlab.join("\n") };
  }

  explorer.wiring = { layersOf, ordinary, feeds };
  explorer.views = explorer.views || {};
  explorer.views.wiring = { title: "Wiring", settle: (state) => state, create, code };
})((window.convlabExplorer = window.convlabExplorer || {}));
