/* The state of a view: read from an address, kept within its limits, written back. */
(function (explorer) {
  "use strict";

  const READ = {
    whole: (text) => Number(text),
    number: (text) => Number(text),
    pair: (text) => pairOf(text.split(/[x,\s]+/).map(Number)),
    choice: (text) => text,
    flag: (text) => text === "true" || text === "1",
    numbers: (text) => text.split(/[,\s]+/).filter(Boolean).map(Number),
    words: (text) => text.split(",").map((word) => word.trim()),
    layers: (text) => explorer.stack.read(text),
  };

  const WRITE = {
    pair: (value) => (value[0] === value[1] ? String(value[0]) : value.join("x")),
    words: (value) => value.join(","),
    numbers: (value) => value.map((one) => Number(one.toPrecision(7))).join(","),
    layers: (value) => explorer.stack.write(value),
  };

  const KEEP = {
    whole: (value, rule) => (Number.isFinite(value) ? within(Math.round(value), rule) : rule.value),
    number: (value, rule) => (Number.isFinite(value) ? within(value, rule) : rule.value),
    pair: (value, rule) =>
      Array.isArray(value) && value.length === 2
        ? value.map((one, side) => KEEP.whole(one, { ...rule, value: rule.value[side] }))
        : rule.value,
    choice: (value, rule) => (rule.options.includes(value) ? value : rule.value),
    flag: (value) => Boolean(value),
    numbers: (value) =>
      Array.isArray(value) && value.every((one) => Number.isFinite(one)) ? value : null,
    words: (value, rule) => {
      const known = Array.isArray(value) ? value.filter((one) => rule.options.includes(one)) : [];
      return known.length > 0 ? known.slice(0, rule.most) : rule.value;
    },
    layers: (value, rule) => explorer.stack.keep(value) || rule.value,
  };

  function pairOf(sides) {
    return sides.length === 1 ? [sides[0], sides[0]] : sides;
  }

  function within(value, { least, most }) {
    return Math.min(Math.max(value, least), most);
  }

  function rules(view) {
    return explorer.parameters[view];
  }

  function defaults(view) {
    return mapped(view, (rule) => rule.value);
  }

  /* Any object as a state of the view: what is unknown is dropped, what is wrong mended. */
  function keep(view, raw) {
    return mapped(view, (rule, name) =>
      raw[name] === undefined || raw[name] === null ? rule.value : KEEP[rule.kind](raw[name], rule)
    );
  }

  function mapped(view, make) {
    return Object.fromEntries(
      Object.entries(rules(view)).map(([name, rule]) => [name, make(rule, name)])
    );
  }

  /* "strides=2&padding=same" as a state. */
  function parse(view, text) {
    const raw = {};
    for (const [name, value] of new URLSearchParams(text)) {
      const rule = rules(view)[name];
      if (rule) raw[name] = READ[rule.kind](value);
    }
    return keep(view, raw);
  }

  /* A state as text, without what is as every reader finds it at first. */
  function write(view, state) {
    const changed = Object.entries(rules(view)).filter(
      ([name, rule]) => state[name] !== null && !same(state[name], rule.value)
    );
    return changed
      .map(([name, rule]) => `${name}=${escaped((WRITE[rule.kind] || String)(state[name]))}`)
      .join("&");
  }

  /* Commas stay readable; everything else that an address cannot hold is escaped. */
  function escaped(text) {
    return encodeURIComponent(text).replace(/%2C/g, ",").replace(/%20/g, "+");
  }

  function same(one, other) {
    return JSON.stringify(one) === JSON.stringify(other);
  }

  explorer.state = { defaults, keep, parse, write, same, within };
})((window.convlabExplorer = window.convlabExplorer || {}));
