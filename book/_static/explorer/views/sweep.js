/* The view Sweep: figure, transport, words and controls. */
(function (explorer) {
  "use strict";
  const { make, plural } = explorer.dom;
  const MAIN = ["kernel_size", "strides", "padding", "dilation_rate"];
  const DEPTH = ["height", "width", "channels", "filters", "groups"];
  const MORE = ["x_fill", "kernel_fill", "use_bias", "data_format"];
  const PACE = 650;  // milliseconds a cell, while it plays

  function create(host) {
    let state = null;
    let all = null;
    let look = null;
    let biases = [];
    const words = make("div", { class: "cx-reading" });
    const sizes = explorer.sweepWords.sizesPanel();
    const refusal = make("p", { class: "cx-refusal", role: "status" });
    const legend = make("ul", { class: "cx-legend" });
    const figure = explorer.sweepFigure.create(actions);
    const transport = makeTransport();
    const panels = [MAIN, DEPTH].map((names) => explorer.controls.panel("sweep", names, host.set));
    panels[1].element.classList.add("cx-short");
    const more = explorer.controls.panel("sweep", MORE, host.set);
    const again = make("div", { class: "cx-row cx-bias" });
    const fold = make("details", { class: "cx-more" }, make("summary", {}, "Numbers, bias and order"),
      more.element, again,
      make("p", { class: "cx-help" },
        "Every number of the input and the kernel can be written over; 1/9 works, too."));
    const element = make("div", { class: "cx-view cx-sweep" },
      figure.element, legend, transport.element, words, refusal,
      make("div", { class: "cx-panels" }, panels.map((panel) => panel.element)), fold, sizes.element);

    /* What the cells of one plane do. */
    function actions(role, at) {
      if (role === "input") {
        return {
          onHover: (place) => see(place && { pixel: place, channel: at }),
          onFocus: (place) => see(place && { pixel: place, channel: at }, true),
          onDrag: (place) => choose(cellUnder(place)),
          onEdit: (place, value) => editPixel(place, at, value),
          onPlay: transport.toggle,
        };
      }
      if (role === "kernel") {
        return {
          onHover: (place) => see(place && { weight: place, slice: at }),
          onFocus: (place) => see(place && { weight: place, slice: at }, true),
          onEdit: (place, value) => editWeight(place, at, value),
          onPlay: transport.toggle,
        };
      }
      return {
        onHover: (place) => see(place && { cell: place, filter: at }),
        onFocus: (place) => { if (place) choose(place, at); },
        onPick: (place) => choose(place, at),
        onDrag: (place) => choose(place, at),
        onPlay: transport.toggle,
      };
    }

    function see(next, announces = false) {
      look = next;
      if (!all) return;
      figure.light(look);
      read(announces);
    }

    function choose(cell, filter = state.filter) {
      look = null;
      host.set({ cell, filter });
    }

    /* The window whose centre is nearest to a pixel. */
    function cellUnder(place) {
      return [all.layer.down, all.layer.across].map((line, side) => {
        const first = place[side] + line.before - (line.reach - 1) / 2;
        return Math.max(0, Math.min(Math.round(first / line.stride), line.count - 1));
      });
    }

    function editPixel([row, column], channel, value) {
      const inside = row >= 0 && column >= 0 && row < state.height && column < state.width;
      if (inside && value !== null) {
        const x = [...all.x];
        x[(channel * state.height + row) * state.width + column] = value;
        host.set({ x });
      }
      return inside;
    }

    function editWeight([p, q], slice, value) {
      if (value !== null) {
        const kernel = [...all.kernel];
        const [, slices, rows, columns] = explorer.layer.kernelShape(state);
        kernel[((state.filter * slices + slice) * rows + p) * columns + q] = value;
        host.set({ kernel });
      }
      return true;
    }

    /* Play, step and scrub through the cells. */
    function makeTransport() {
      let timer = null;
      const play = tool("▶", "play", toggle);
      const scrub = make("input", {
        type: "range", min: 0, class: "cx-slider", "aria-label": "cell of the output",
        on: { input: () => { stop(); goTo(Number(scrub.value)); } },
      });
      const where = make("output", { class: "cx-where" });
      const element = make("div", { class: "cx-transport", role: "group", "aria-label": "sweep" },
        tool("⇤", "first cell", () => { stop(); goTo(0); }),
        tool("‹", "one cell back", () => { stop(); goTo(at() - 1); }),
        play,
        tool("›", "one cell on", () => { stop(); goTo(at() + 1); }),
        scrub, where);

      function tool(sign, label, onClick) {
        return make("button", { type: "button", class: "cx-tool", "aria-label": label, title: label, on: { click: onClick } },
          make("span", { "aria-hidden": "true" }, sign));
      }
      function at() {
        return state.cell[0] * all.layer.across.count + state.cell[1];
      }
      function total() {
        return all.layer.refusal ? 0 : all.layer.down.count * all.layer.across.count;
      }
      function goTo(index) {
        if (index < 0 || index >= total()) return false;
        choose([Math.floor(index / all.layer.across.count), index % all.layer.across.count]);
        return true;
      }
      function toggle() {
        if (timer) { stop(); return; }
        if (at() >= total() - 1) goTo(0);
        timer = setInterval(() => goTo(at() + 1) || stop(), PACE);
        paint();
      }
      function stop() {
        clearInterval(timer);
        timer = null;
        paint();
      }
      function paint() {
        play.firstChild.textContent = timer ? "❚❚" : "▶";
        play.setAttribute("aria-label", timer ? "pause" : "play");
        play.title = timer ? "pause" : "play";
      }
      function show() {
        scrub.max = Math.max(total() - 1, 0);
        scrub.value = at();
        scrub.setAttribute("aria-valuetext", `row ${state.cell[0]}, column ${state.cell[1]}`);
        where.textContent = total() ? `${at() + 1} of ${total()}` : "–";
        element.classList.toggle("cx-off", total() === 0);
        for (const control of element.querySelectorAll("button, input")) control.disabled = total() === 0;
      }
      return { element, show, toggle, stop, isPlaying: () => timer !== null };
    }

    function read(announces) {
      words.replaceChildren();
      words.style.setProperty("--lines", all.layer.slices > 1 ? all.layer.slices + 1 : 2);
      if (all.layer.refusal) return;
      let said;
      if (look && look.pixel) {
        said = explorer.sweepWords.pixelReaders(state, all, look.pixel, look.channel);
        words.append(make("p", {}, said));
      } else if (look && look.weight) {
        said = explorer.sweepWords.weightUse(state, all, look.weight, state.filter, look.slice);
        words.append(make("p", {}, said));
      } else {
        const cell = look ? look.cell : state.cell;
        const filter = look ? look.filter : state.filter;
        const sum = explorer.sweepWords.cellSum(state, all, cell, filter);
        words.append(...sum.lines);
        said = sum.summary;
      }
      // What a longer sentence needed stays, so that nothing below moves under the pointer.
      const { height } = words.getBoundingClientRect();
      if (height) words.style.minHeight = `${height}px`;
      if (announces && !transport.isPlaying()) host.announce(said);
    }

    function showLegend() {
      const unread = all.layer.refusal ? 0 : explorer.sweepWords.unreadCount(all.layer);
      const { down, across } = all.layer;
      const entries = [["input", "input"], ["kernel", "kernel, and what it reads"], ["output", "output"]];
      if (down.total + across.total > 0) entries.splice(1, 0, ["padding", "padding: zeros"]);
      if (unread > 0) {
        entries.push(["unread", `${plural(unread, "pixel")} that no output reads`]);
      }
      legend.replaceChildren(...entries.map(([role, text]) =>
        make("li", {}, make("span", { class: `cx-swatch cx-swatch-${role}` }), text)));
    }

    /* A field for each bias: they are no cells of a grid. */
    function showBias() {
      again.hidden = !state.use_bias;
      if (biases.length !== state.filters) {
        biases = explorer.sizes.range(state.filters).map((filter) => explorer.controls.stepper({
          name: `bias of filter ${filter}`, least: -999, most: 999,
          onChange: (value) => host.set({ bias: shownBias().map((one, at) => (at === filter ? value : one)) }),
        }));
        again.replaceChildren(make("span", { class: "cx-name" }, "bias"), ...biases.map((one) => one.element));
      }
      biases.forEach((one, filter) => one.show(shownBias()[filter]));
    }

    function shownBias() {
      return explorer.layer.numbers(state).bias;
    }

    function update(next, before) {
      state = next;
      all = explorer.layer.of(state);
      const moved = Boolean(before) && !explorer.state.same(before.cell, next.cell);
      refusal.textContent = all.layer.refusal || "";
      words.hidden = Boolean(all.layer.refusal);
      words.style.minHeight = "";
      figure.show(state, all, host.width());
      figure.light(look);
      for (const panel of [...panels, more]) panel.show(state);
      showBias();
      showLegend();
      sizes.show(state, all.layer);
      transport.show();
      if (all.layer.refusal) transport.stop();
      read(moved);
    }

    return { element, update, stop: () => transport.stop() };
  }

  explorer.views = explorer.views || {};
  explorer.views.sweep = {
    title: "Sweep", settle: explorer.layer.settle, create, code: (state) => explorer.sweepCode(state),
  };
})((window.convlabExplorer = window.convlabExplorer || {}));
