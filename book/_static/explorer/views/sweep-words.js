/* The sweep in words: the sum behind a cell, who reads a pixel, and how the sizes come about. */
(function (explorer) {
  "use strict";
  const { make, number, count, plural } = explorer.dom;
  const { range, readers, position, stepsAndSpreads } = explorer.sizes;
  const LONG = 27;  // more products than these are told by those that are not 0

  const TO_EDIT = "Type on it, or press it twice, to change it.";

  function tinted(role, text) {
    return make("span", { class: `cx-ink-${role}` }, text);
  }

  function signed(value) {
    const text = number(value);
    return value < 0 ? `(${text})` : text;
  }

  function placeName(shape, format, [row, column], channel) {
    const index = format === "channels_first" ? [0, channel, row, column] : [0, row, column, channel];
    return { index, text: index.join(", "), at: position(shape, index) };
  }

  /* y[0, 1, 2, 0] = 3·1 + 0·2 + … */
  function cellSum(state, all, [row, column], filter) {
    const parts = explorer.sums.products(all.layer, all.x, all.kernel, filter, row, column);
    const sum = explorer.sums.sumOf(parts, all.bias[filter]);
    const name = placeName(all.layer.outputShape, state.data_format, [row, column], filter);
    const lines = parts.map((part) => sliceLine(part, parts.length > 1));
    const total = make("p", { class: "cx-total" },
      "y[", name.text, "] = ",
      parts.length > 1 ? partSums(parts) : "",
      parts.length > 1 && state.use_bias ? " + " : "",
      state.use_bias && parts.length === 1 ? `${number(explorer.sums.sumOf(parts, 0))} + ` : "",
      state.use_bias ? `${signed(all.bias[filter])} (bias)` : "",
      parts.length > 1 || state.use_bias ? " = " : "",
      tinted("output", number(sum)));
    return { lines: [...lines, total], summary: `Output row ${row}, column ${column}: ${number(sum)}.` };
  }

  function partSums(parts) {
    return parts.map((part) => signed(explorer.sums.sumOf([part], 0))).join(" + ");
  }

  function sliceLine({ channel, terms }, isNamed) {
    const shown = terms.length > LONG ? terms.filter((one) => one.value * one.weight !== 0) : terms;
    const hidden = terms.length - shown.length;
    const line = make("p", { class: "cx-products" },
      isNamed ? make("span", { class: "cx-of" }, `channel ${channel}: `) : "");
    shown.forEach((one, at) => line.append(
      at > 0 ? " + " : "",
      make("span", { class: "cx-product" },
        tinted(one.padded ? "padding" : "input", signed(one.value)), "·",
        tinted("kernel", signed(one.weight)))
    ));
    if (shown.length === 0) line.append("0");
    line.append(` = ${number(explorer.sums.sumOf([{ terms }], 0))}`);
    if (hidden > 0) line.append(make("span", { class: "cx-of" }, ` (${count(hidden)} more products are 0)`));
    return line;
  }

  /* Who reads one pixel of the input. */
  function pixelReaders(state, all, [row, column], channel) {
    const { down, across, inputShape } = all.layer;
    if (row < 0 || column < 0 || row >= down.size || column >= across.size) {
      return "A zero of the padding: it is not part of the input.";
    }
    const name = placeName(inputShape, state.data_format, [row, column], channel);
    const times = readers(down, row).length * readers(across, column).length;
    const value = all.x[(channel * down.size + row) * across.size + column];
    const read = times === 0
      ? "No output reads it."
      : `Read by ${plural(times, "cell")}${state.filters > 1 ? " of each map that sees its channel" : ""}.`;
    return `x[${name.text}] = ${number(value)}, number ${count(name.at)} in memory. ${read} ${TO_EDIT}`;
  }

  function weightUse(state, all, [p, q], filter, slice) {
    const { down, across } = all.layer;
    const value = all.kernel[((filter * all.layer.slices + slice) * down.taps + p) * across.taps + q];
    return `kernel[${p}, ${q}, ${slice}, ${filter}] = ${number(value)}, `
      + `used once for each of the ${plural(down.count * across.count, "cell")} of map ${filter}. ${TO_EDIT}`;
  }

  /* How the size of the output comes about, one axis. */
  function axisWords(name, line) {
    const reach = line.rate > 1
      ? `A window spans (${line.taps} − 1) · ${line.rate} + 1 = ${line.reach} pixels. ` : "";
    return make("p", { class: "cx-axis", data: { axis: name } },
      make("span", { class: "cx-name" }, name),
      make("span", {}, reach, line.padding === "same" ? sameWords(name, line) : validWords(line)));
  }

  function validWords(line) {
    const room = line.size - line.reach;
    const formula = `⌊(${line.size} − ${line.reach}) / ${line.stride}⌋ + 1`;
    if (room < 0) return `${line.reach} pixels do not fit into ${line.size}.`;
    const left = room % line.stride;
    return [
      `${formula} = ⌊${number(room / line.stride)}⌋ + 1 = `, tinted("output", String(line.count)),
      left > 0 ? `. ${plural(left, "pixel")} at the end ${left === 1 ? "is" : "are"} left over` : "",
      ".",
    ];
  }

  function sameWords(name, line) {
    const [first, last] = name === "height" ? ["above", "below"] : ["left", "right"];
    const need = (line.count - 1) * line.stride + line.reach;
    return [
      `⌈${line.size} / ${line.stride}⌉ = `, tinted("output", String(line.count)),
      `. The windows span (${line.count} − 1) · ${line.stride} + ${line.reach} = ${need} pixels, `
      + `the input has ${line.size}: `,
      tinted("padding", `${line.before} ${first}, ${line.after} ${last}`),
      ".",
    ];
  }

  function shapeText(shape) {
    return `(${shape.join(", ")})`;
  }

  function sizesPanel() {
    const axes = make("div", { class: "cx-axes" });
    const shapes = make("p", { class: "cx-shapes" });
    const counts = make("p", { class: "cx-counts" });
    const note = make("p", { class: "cx-note", hidden: true });
    const element = make("div", { class: "cx-sizes" }, axes, shapes, counts, note);

    function show(state, layer) {
      axes.replaceChildren(axisWords("height", layer.down), axisWords("width", layer.across));
      const fits = !layer.refusal;
      shapes.replaceChildren(
        tinted("input", `x ${shapeText(layer.inputShape)}`), "  ",
        fits ? tinted("kernel", `kernel ${shapeText(layer.kernelShape)}`) : "", fits ? "  →  " : "",
        fits ? tinted("output", `y ${shapeText(layer.outputShape)}`) : "");
      counts.textContent = fits
        ? `${plural(layer.parameters, "parameter")}, ${plural(layer.multiplyAdds, "multiply-add")}.` : "";
      note.hidden = !stepsAndSpreads(state);
      note.textContent = note.hidden ? ""
        : "The layer Conv2D refuses strides and a dilation rate above 1 together; "
          + "the function convlab.conv2d takes both.";
    }

    return { element, show };
  }

  /* Pixels that no window reads. */
  function unreadCount(layer) {
    const seen = (line) => range(line.size).filter((pixel) => readers(line, pixel).length > 0).length;
    return layer.down.size * layer.across.size - seen(layer.down) * seen(layer.across);
  }

  explorer.sweepWords = { cellSum, pixelReaders, weightUse, sizesPanel, unreadCount };
})((window.convlabExplorer = window.convlabExplorer || {}));
