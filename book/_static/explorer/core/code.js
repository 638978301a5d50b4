/* What the reader sees, as Python to copy: arrays, arguments, and the panel that shows them. */
(function (explorer) {
  "use strict";
  const { make, unique } = explorer.dom;
  const WIDTH = 76;

  /* One number, or a tuple where the sides differ. */
  function pair([height, width]) {
    return height === width ? String(height) : `(${height}, ${width})`;
  }

  function literal(value) {
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
  }

  /* Flat numbers as nested lists, the innermost in one line each. */
  function nested(values, shape, indent = "    ") {
    if (shape.length === 1) return `[${values.map(literal).join(", ")}]`;
    const size = values.length / shape[0];
    const parts = explorer.sizes.range(shape[0]).map((at) =>
      nested(values.slice(at * size, (at + 1) * size), shape.slice(1), `${indent}    `)
    );
    const flat = `[${parts.join(", ")}]`;
    if (!flat.includes("\n") && flat.length + indent.length < WIDTH - 20) return flat;
    const inner = parts.map((part) => `${indent}${part},\n`).join("");
    return `[\n${inner}${indent.slice(4)}]`;
  }

  /* A call with its arguments, in one line where it fits, else one on each line. */
  function call(name, parts, start = "") {
    const flat = `${start}${name}(${parts.join(", ")})`;
    if (flat.length <= WIDTH) return flat;
    return `${start}${name}(\n${parts.map((part) => `    ${part},\n`).join("")})`;
  }

  const TOKENS = /(#[^\n]*)|("[^"\n]*")|\b(import|from|as|for|in|print|def|return|lambda)\b|\b(\d[\d_.e]*)\b/g;
  const CLASSES = ["c1", "s2", "k", "mi"];  // those of Pygments, so that the theme's colours hold

  function coloured(text) {
    const parts = [];
    let at = 0;
    for (const found of text.matchAll(TOKENS)) {
      parts.push(text.slice(at, found.index));
      const kind = found.slice(1).findIndex((group) => group !== undefined);
      parts.push(make("span", { class: CLASSES[kind] }, found[0]));
      at = found.index + found[0].length;
    }
    return [...parts, text.slice(at)];
  }

  /* The fold "As code": one tab for each library. */
  function panel(onCopied) {
    let texts = {};
    let chosen = "keras";
    const code = make("code", {});
    const block = make("pre", { class: "cx-code", tabindex: "0", "aria-label": "Python code" }, code);
    const group = unique("library");
    const names = [["keras", "Keras"], ["convlab", "convlab"]];
    const choices = names.map(([key, name]) => {
      const input = make("input", {
        type: "radio", name: group, value: key, checked: key === chosen,
        on: { change: () => { chosen = key; paint(); } },
      });
      return make("label", {}, input, make("span", {}, name));
    });
    const copy = make("button", {
      type: "button", class: "cx-button", on: { click: () => copyText(texts[chosen], onCopied) },
    }, "Copy code");
    const element = make("details", { class: "cx-as-code", on: { toggle: paint } },
      make("summary", {}, "As code"),
      make("div", { class: "cx-code-head" },
        make("span", { class: "cx-segments", role: "radiogroup", "aria-label": "library" }, choices),
        copy),
      make("div", { class: "highlight" }, block));

    function paint() {
      if (element.open) code.replaceChildren(...coloured(texts[chosen] || ""));
    }

    function show(next) {
      texts = next;
      paint();
    }

    return { element, show };
  }

  /* Browsers refuse the clipboard on some pages: then a hidden field serves. */
  function copyText(text, onCopied) {
    const done = () => onCopied("Copied.");
    const other = () => {
      const field = make("textarea", { "aria-hidden": "true", class: "cx-hidden" });
      field.value = text;
      document.body.append(field);
      field.select();
      const worked = document.execCommand("copy");
      field.remove();
      onCopied(worked ? "Copied." : "The browser does not let this page copy. Mark the text and copy it.");
    };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, other);
    else other();
  }

  explorer.code = { pair, literal, nested, call, panel, copyText };
})((window.convlabExplorer = window.convlabExplorer || {}));
