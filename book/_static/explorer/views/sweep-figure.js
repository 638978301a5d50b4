/* The picture of the sweep: a plane for each input channel, for each slice of the chosen filter
   and for each map, with the window over them. */
(function (explorer) {
  "use strict";
  const { make, number } = explorer.dom;
  const { places, readers, reads } = explorer.sizes;
  const LEAST = 17;  // pixels a cell needs for a digit
  const MOST = 38;

  function create(actions) {
    const columns = Object.fromEntries(["input", "kernel", "output"].map((role) => [role, column(role)]));
    const signs = ["∗", "="].map((sign) => make("span", { class: "cx-sign", "aria-hidden": "true" }, sign));
    const element = make("div", { class: "cx-figure" },
      columns.input.element, signs[0], columns.kernel.element, signs[1], columns.output.element);
    const planes = { input: [], kernel: [], output: [] };
    let shown = null;

    function column(role) {
      const list = make("div", { class: "cx-planes" });
      return { list, element: make("div", { class: `cx-column cx-of-${role}` }, list) };
    }

    /* As many planes as are needed; those there keep the reader's focus. */
    function need(role, wanted) {
      const list = planes[role];
      while (list.length > wanted) list.pop().box.remove();
      while (list.length < wanted) {
        const at = list.length;
        const grid = explorer.grid.create({ role, ...actions(role, at) });
        const title = make("span", { class: "cx-title" });
        const box = make("div", { class: "cx-box" }, title, grid.element);
        columns[role].list.append(box);
        list.push({ grid, title, box });
      }
      return list;
    }

    function show(state, all, width) {
      shown = { state, all };
      const { layer } = all;
      fit(state, layer, width);
      showInput(state, all);
      showKernel(state, all);
      showOutput(state, all);
      light(null);
    }

    /* Cells as large as the page allows; where that is too small, one part below the other. */
    function fit(state, layer, width) {
      const { down, across } = layer;
      const wide = across.size + across.total;
      const tall = Math.max((down.size + down.total) * state.channels, Math.max(down.count, 1) * state.filters);
      const sum = wide + across.taps + Math.max(across.count, 1);
      const byWidth = Math.floor((width - 110) / sum);
      const byHeight = Math.floor((620 - 26 * Math.max(state.channels, state.filters)) / tall);
      const row = Math.min(byWidth, Math.max(byHeight, 22));
      const stacked = row < 22;
      const alone = Math.floor((width - 12) / Math.max(wide, across.count));
      const size = Math.max(LEAST, Math.min(stacked ? Math.min(alone, 32) : row, MOST));
      element.classList.toggle("cx-stacked", stacked);
      element.classList.toggle("cx-tight", size < 26);
      element.style.setProperty("--cell", `${size}px`);
    }

    function showInput(state, { layer, x }) {
      const { down, across } = layer;
      const shape = {
        rows: down.size + down.total, columns: across.size + across.total,
        top: -down.before, left: -across.before,
      };
      const seen = [reads(down), reads(across)];
      need("input", state.channels).forEach(({ grid, title }, channel) => {
        const name = state.channels > 1 ? `input, channel ${channel}` : "input";
        title.textContent = name;
        grid.show(shape, name, (row, column) => {
          const inside = row >= 0 && column >= 0 && row < down.size && column < across.size;
          if (!inside) return { value: 0, label: `row ${row}, column ${column}: 0, padding`, classes: "cx-pad" };
          const value = x[(channel * down.size + row) * across.size + column];
          const unread = !layer.refusal && seen[0][row] * seen[1][column] === 0;
          return {
            value,
            label: `row ${row}, column ${column}: ${number(value)}${unread ? ", not read by any output" : ""}`,
            classes: unread ? "cx-unread" : "",
          };
        });
      });
    }

    function showKernel(state, { layer, kernel }) {
      const { down, across, slices } = layer;
      const shown = layer.refusal && slices % 1 ? 1 : Math.max(1, Math.floor(slices));
      need("kernel", shown).forEach(({ grid, title }, slice) => {
        const many = state.filters > 1 || shown > 1;
        title.textContent = many ? `filter ${state.filter}${shown > 1 ? `, slice ${slice}` : ""}` : "kernel";
        const base = (state.filter * shown + slice) * down.taps;
        grid.show({ rows: down.taps, columns: across.taps, top: 0, left: 0 },
          `kernel, filter ${state.filter}, slice ${slice}`, (p, q) => {
            const value = kernel[(base + p) * across.taps + q];
            return { value, label: `weight ${p}, ${q}: ${number(value)}`, classes: "" };
          });
      });
    }

    function showOutput(state, { layer, output }) {
      const { down, across, refusal } = layer;
      const done = state.cell[0] * across.count + state.cell[1];
      need("output", refusal ? 0 : state.filters).forEach(({ grid, title, box }, filter) => {
        box.classList.toggle("cx-chosen", state.filters > 1 && filter === state.filter);
        const name = state.filters > 1 ? `output, map ${filter}` : "output";
        title.textContent = name;
        grid.show({ rows: down.count, columns: across.count, top: 0, left: 0 }, name, (row, column) => {
          const value = output[(filter * down.count + row) * across.count + column];
          const at = row * across.count + column;
          return {
            value,
            label: `row ${row}, column ${column}: ${number(value)}`,
            classes: at <= done ? "cx-done" : "",
          };
        });
      });
    }

    /* The window of the chosen cell, or what the pointer or the focus looks at. */
    function light(look) {
      const { state, all } = shown;
      const { layer } = all;
      if (layer.refusal) { dark(); return; }
      const cell = look && look.cell ? look.cell : state.cell;
      const filter = look && look.filter !== undefined ? look.filter : state.filter;
      if (look && look.pixel) lightReaders(look, state, layer);
      else lightWindow(cell, filter, state, all, look && look.weight ? look : null);
    }

    function dark() {
      for (const list of Object.values(planes)) {
        list.forEach(({ grid }) => { grid.surround(null); grid.mark(() => false); });
      }
    }

    function seesFilter(filter, channel, state, layer) {
      return Math.floor(filter / (state.filters / state.groups)) === Math.floor(channel / layer.slices);
    }

    function lightWindow(cell, filter, state, all, chosen) {
      const { layer } = all;
      const rows = places(layer.down, cell[0]);
      const columns = places(layer.across, cell[1]);
      const box = { row: rows[0], column: columns[0], rows: layer.down.reach, columns: layer.across.reach };
      planes.input.forEach(({ grid, box: around }, channel) => {
        const sees = seesFilter(filter, channel, state, layer);
        around.classList.toggle("cx-aside", !sees);
        grid.surround(sees ? box : null);
        grid.mark((row, column) => sees && (chosen
          ? channel % layer.slices === chosen.slice
            && rows[chosen.weight[0]] === row && columns[chosen.weight[1]] === column
          : rows.includes(row) && columns.includes(column)));
        weigh(grid, sees && channel % layer.slices, rows, columns, filter, all);
      });
      planes.kernel.forEach(({ grid }, slice) => grid.mark((p, q) =>
        Boolean(chosen) && slice === chosen.slice && p === chosen.weight[0] && q === chosen.weight[1]));
      planes.output.forEach(({ grid }, map) => {
        const here = map === filter;
        grid.surround(here ? { row: cell[0], column: cell[1], rows: 1, columns: 1 } : null);
        grid.mark((row, column) => here && row === cell[0] && column === cell[1]);
      });
    }

    /* The weight beside each pixel under the window, where there is room for it. */
    function weigh(grid, slice, rows, columns, filter, { layer, kernel }) {
      for (const cell of grid.grid.querySelectorAll("[data-weight]")) delete cell.dataset.weight;
      if (slice === false) return;
      rows.forEach((row, p) => columns.forEach((column, q) => {
        const cell = grid.grid.querySelector(`[data-at="${row} ${column}"]`);
        const weight = kernel[((filter * layer.slices + slice) * layer.down.taps + p) * layer.across.taps + q];
        if (cell) cell.dataset.weight = `×${number(weight)}`;
      }));
    }

    function lightReaders({ pixel, channel }, state, layer) {
      const rows = readers(layer.down, pixel[0]);
      const columns = readers(layer.across, pixel[1]);
      planes.input.forEach(({ grid, box }, at) => {
        grid.surround(null);
        box.classList.remove("cx-aside");
        grid.mark((row, column) => at === channel && row === pixel[0] && column === pixel[1]);
        for (const cell of grid.grid.querySelectorAll("[data-weight]")) delete cell.dataset.weight;
      });
      planes.kernel.forEach(({ grid }) => grid.mark(() => false));
      planes.output.forEach(({ grid }, filter) => {
        const sees = seesFilter(filter, channel, state, layer);
        grid.surround(null);
        grid.mark((row, column) => sees && rows.includes(row) && columns.includes(column));
      });
    }

    return { element, show, light };
  }

  explorer.sweepFigure = { create };
})((window.convlabExplorer = window.convlabExplorer || {}));
