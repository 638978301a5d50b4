/* The stack from the side: the image below, the last map on top, and what its cell sees. */
(function (explorer) {
  "use strict";
  const { draw } = explorer.dom;
  const { places, range } = explorer.sizes;
  const LEVEL = 54;  // pixels from one map to the next
  const CELL = 18;
  const BARS = 46;
  const LABEL = 64;

  function create({ onPick }) {
    const svg = draw("svg", { class: "cx-side", role: "group" });
    svg.addEventListener("pointerdown", pick);
    svg.addEventListener("pointermove", (event) => { if (event.buttons > 0) pick(event); });
    let measure = null;

    /* The cell of the last map that is nearest to a pressed pointer. */
    function pick(event) {
      if (!measure) return;
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * measure.width;
      const nearest = Math.round((x - measure.place(measure.top, 0)) / measure.pitch);
      onPick(Math.max(0, Math.min(nearest, measure.count - 1)));
    }

    /* Where things stand: a map's cell lies above the middle of what it sees. */
    function scale(state, traced, width) {
      const first = Math.min(0, ...traced.fields.map((field) => field.start));
      const last = traced.fields[traced.fields.length - 1];
      const end = Math.max(state.size, last.start + (traced.count - 1) * last.jump + last.size);
      const unit = (width - LABEL) / (end - first);
      const place = (level, cell) => {
        const field = traced.fields[level];
        return LABEL + (field.start + cell * field.jump + field.size / 2 - first) * unit;
      };
      return { unit, place, width, top: traced.lines.length, pitch: last.jump * unit, count: traced.count };
    }

    /* Only so many layers back as the state says: the rest of the field waits. */
    function show(state, traced, allLevels, width) {
      const depth = traced.lines.length;
      const levels = allLevels.map((found, level) => (depth - level <= state.back ? found : new Map()));
      const height = depth * LEVEL + CELL + BARS + 12;
      measure = scale(state, traced, width);
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.setAttribute("width", width);
      svg.setAttribute("height", height);
      const y = (level) => (depth - level) * LEVEL + 6;
      svg.replaceChildren(
        ...wires(traced, levels, y),
        ...range(depth + 1).flatMap((level) => map(state, traced, levels, level, y(level))),
        ...bars(levels[0], state.size, y(0) + CELL + 4));
    }

    function wires(traced, levels, y) {
      return traced.lines.map((line, level) => {
        const parts = [];
        for (const cell of levels[level + 1].keys()) {
          if (level + 1 < levels.length - 1 && (cell < 0 || cell >= line.count)) continue;
          for (const tap of places(line, cell)) {
            parts.push(`M${at(level + 1, cell)} ${y(level + 1) + CELL}L${at(level, tap)} ${y(level)}`);
          }
        }
        return draw("path", { class: "cx-wire", d: parts.join("") });
      });
    }

    function at(level, cell) {
      return measure.place(level, cell).toFixed(1);
    }

    function map(state, traced, levels, level, top) {
      const count = level === 0 ? state.size : traced.lines[level - 1].count;
      const pad = level < traced.lines.length ? traced.lines[level] : { before: 0, after: 0 };
      const wide = Math.min(CELL, Math.max(traced.fields[level].jump * measure.unit - 1.5, 2));
      const role = level === 0 ? "input" : level === traced.lines.length ? "output" : "between";
      const cells = range(count + pad.before + pad.after).map((index) => {
        const cell = index - pad.before;
        const padded = cell < 0 || cell >= count;
        const seen = levels[level].has(cell);
        return draw("rect", {
          class: `cx-spot cx-spot-${padded ? "padding" : role}${seen ? " cx-seen" : ""}`,
          x: (measure.place(level, cell) - wide / 2).toFixed(1), y: top, width: wide.toFixed(1), height: CELL,
          rx: 2,
        });
      });
      const name = level === 0 ? "image" : `layer ${level}`;
      return [...cells, draw("text", { class: "cx-side-name", x: 0, y: top + CELL - 5 }, name)];
    }

    /* How many ways lead from each pixel to the cell, the tallest as high as there is room. */
    function bars(found, size, top) {
      const real = [...found].filter(([at]) => at >= 0 && at < size);
      const most = Math.max(...real.map(([, count]) => count), 1);
      const wide = Math.max(measure.unit - 1.5, 1);
      const all = real.map(([cell, count]) => draw("rect", {
        class: "cx-bar", x: (measure.place(0, cell) - wide / 2).toFixed(1), y: top,
        width: wide.toFixed(1), height: ((BARS * count) / most).toFixed(1),
      }));
      return [...all, draw("text", { class: "cx-side-name", x: 0, y: top + 12 }, "ways up")];
    }

    return { element: svg, show };
  }

  explorer.fieldFigure = { create };
})((window.convlabExplorer = window.convlabExplorer || {}));
