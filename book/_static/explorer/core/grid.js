/* A grid of numbers that answers to pointer, finger and keyboard. One cell takes the tab key;
   the arrows move on from there. Where it may be edited, typing a number writes it. */
(function (explorer) {
  "use strict";
  const { make, number } = explorer.dom;
  const MOVES = {
    ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
  };

  /* `describe(row, column)` gives {text, label, classes, weight}; rows and columns of the padding
     are numbered below 0, or from the size on. */
  function create({ role, onHover, onFocus, onPick, onDrag, onEdit, onPlay }) {
    let shape = null;
    let cells = [];
    let active = [0, 0];
    const frame = make("span", { class: "cx-frame", hidden: true });
    const element = make("div", { class: `cx-grid cx-${role}`, role: "grid" });
    const plane = make("div", { class: "cx-plane" }, element, frame);

    element.addEventListener("keydown", pressed);
    element.addEventListener("focusin", (event) => {
      const at = placeOf(event.target);
      if (at) { activate(at); if (onFocus) onFocus(at); }
    });
    element.addEventListener("focusout", () => onFocus && onFocus(null));
    if (onHover) {
      element.addEventListener("pointerover", (event) => {
        if (event.pointerType !== "touch") onHover(placeOf(event.target));
      });
      element.addEventListener("pointerleave", () => onHover(null));
    }
    element.addEventListener("click", (event) => {
      const at = placeOf(event.target);
      if (at && onPick) onPick(at);
    });
    if (onDrag) followDrag();
    if (onEdit) {
      element.addEventListener("dblclick", (event) => edit(placeOf(event.target)));
    }

    function followDrag() {
      let from = null;
      element.addEventListener("pointerdown", (event) => { from = placeOf(event.target); });
      element.addEventListener("pointermove", (event) => {
        if (!from || event.buttons === 0) return;
        const at = placeOf(document.elementFromPoint(event.clientX, event.clientY));
        if (at && String(at) !== String(from)) { from = at; onDrag(at); }
      });
      for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
        element.addEventListener(end, () => { from = null; });
      }
    }

    function placeOf(target) {
      const cell = target && target.closest ? target.closest("[data-at]") : null;
      return cell && element.contains(cell) ? cell.dataset.at.split(" ").map(Number) : null;
    }

    function cellAt([row, column]) {
      const line = cells[row - shape.top];
      return line && line[column - shape.left];
    }

    function activate(at) {
      const before = cellAt(active);
      if (before) before.tabIndex = -1;
      active = at;
      cellAt(at).tabIndex = 0;
    }

    function pressed(event) {
      if (event.target.tagName === "INPUT") return;
      const move = MOVES[event.key];
      if (move && !event.altKey && !event.ctrlKey && !event.metaKey) go(event, active[0] + move[0], active[1] + move[1]);
      else if (event.key === "Home") go(event, active[0], shape.left);
      else if (event.key === "End") go(event, active[0], shape.left + shape.columns - 1);
      else if (event.key === " " && onPlay) { event.preventDefault(); onPlay(); }
      else if (onEdit && isEditing(event)) {
        event.preventDefault();
        edit(active, event.key.length === 1 ? event.key : null);
      } else if (event.key === "Enter" && onPick) { event.preventDefault(); onPick(active); }
    }

    function isEditing(event) {
      return !event.ctrlKey && !event.metaKey && /^([-\d.]|Enter|F2)$/.test(event.key);
    }

    function go(event, row, column) {
      event.preventDefault();
      const cell = cellAt([row, column]);
      if (cell) cell.focus();
    }

    function edit(at, typed = null) {
      const cell = at && cellAt(at);
      if (!cell || cell.querySelector("input") || !onEdit(at, null)) return;
      const input = make("input", {
        class: "cx-edit", "aria-label": `new number for ${cell.getAttribute("aria-label")}`,
        value: typed === null ? cell.dataset.value : typed, maxlength: "7",
      });
      let open = true;
      function close(keeps) {
        if (!open) return;
        open = false;
        const value = readNumber(input.value);
        const hadFocus = document.activeElement === input;
        input.remove();
        if (hadFocus) cell.focus();
        if (keeps && value !== null) onEdit(at, value);
      }
      input.addEventListener("blur", () => close(true));
      input.addEventListener("keydown", (event) => {
        if (event.key === "Enter") close(true);
        if (event.key === "Escape") close(false);
        event.stopPropagation();
      });
      cell.append(input);
      input.focus();
      if (typed === null) input.select();
      else input.setSelectionRange(typed.length, typed.length);
    }

    function build() {
      element.replaceChildren();
      cells = explorer.sizes.range(shape.rows).map((row) => {
        const line = explorer.sizes.range(shape.columns).map((column) =>
          make("span", {
            class: "cx-cell", role: "gridcell", tabindex: "-1",
            data: { at: `${row + shape.top} ${column + shape.left}` },
          }, make("span", { class: "cx-digits" }))
        );
        element.append(make("div", { class: "cx-line", role: "row" }, line));
        return line;
      });
      element.style.setProperty("--columns", shape.columns);
      if (!cellAt(active)) active = [shape.top, shape.left];
      if (cellAt(active)) cellAt(active).tabIndex = 0;
    }

    /* shape: {rows, columns, top, left}, with top and left the number of the first row, column. */
    function show(next, name, describe) {
      if (JSON.stringify(next) !== JSON.stringify(shape)) {
        shape = next;
        build();
      }
      element.setAttribute("aria-label", name);
      let longest = 1;
      cells.forEach((line, row) => line.forEach((cell, column) => {
        const { value, label, classes, weight } = describe(row + shape.top, column + shape.left);
        const text = value === null ? "" : number(value, 2);
        longest = Math.max(longest, text.length);
        cell.firstChild.textContent = text;
        cell.dataset.value = value === null ? "" : String(value);
        cell.className = `cx-cell ${classes}`;
        cell.setAttribute("aria-label", label);
        if (weight === undefined) delete cell.dataset.weight;
        else cell.dataset.weight = `×${number(weight, 2)}`;
      }));
      element.style.setProperty("--longest", longest);
    }

    /* A frame around a window: rows and columns as numbered, any of them in the padding. */
    function surround(box) {
      frame.hidden = box === null;
      if (box === null) return;
      frame.style.setProperty("--row", box.row - shape.top);
      frame.style.setProperty("--column", box.column - shape.left);
      frame.style.setProperty("--rows", box.rows);
      frame.style.setProperty("--columns", box.columns);
    }

    function mark(classOf) {
      cells.forEach((line, row) => line.forEach((cell, column) => {
        const on = classOf(row + shape.top, column + shape.left);
        cell.classList.toggle("cx-lit", on);
      }));
    }

    function focus(at) {
      const cell = cellAt(at);
      if (cell) cell.focus();
    }

    function moveTab(at) {
      if (shape && cellAt(at)) activate(at);
    }

    return { element: plane, grid: element, show, surround, mark, focus, moveTab };
  }

  /* A number, or a fraction such as 1/9; null for anything else. */
  function readNumber(text) {
    const clean = text.trim().replace("−", "-").replace(",", ".");
    const found = /^(-?\d*\.?\d+)(?:\/(\d*\.?\d+))?$/.exec(clean);
    if (!found) return null;
    const value = Number(found[1]) / (found[2] === undefined ? 1 : Number(found[2]));
    return Number.isFinite(value) && Math.abs(value) <= 9999 ? Number(value.toFixed(4)) : null;
  }

  explorer.grid = { create, readNumber };
})((window.convlabExplorer = window.convlabExplorer || {}));
