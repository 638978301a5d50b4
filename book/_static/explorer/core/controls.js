/* The controls: each shows one parameter, and reports what the reader makes of it. */
(function (explorer) {
  "use strict";
  const { make, unique } = explorer.dom;
  const { within, same } = explorer.state;

  /* A whole number or a number, with buttons beside it: fingers need them. */
  function stepper({ name, least, most, step = 1, onChange }) {
    const input = make("input", {
      type: "number", class: `cx-number${most > 99 ? " cx-long" : ""}`, min: least, max: most, step, "aria-label": name,
      inputmode: step === 1 ? "numeric" : "decimal",
      on: { input: () => commit(false), change: () => commit(true) },
    });
    const less = button("−", `less ${name}`, () => move(-step));
    const more = button("+", `more ${name}`, () => move(step));

    function button(sign, label, onClick) {
      return make("button", {
        type: "button", class: "cx-step", "aria-label": label, tabindex: "-1", on: { click: onClick },
      }, sign);
    }

    function move(by) {
      onChange(within(Number((Number(input.value) + by).toFixed(6)), { least, most }));
    }

    /* While the reader types, half a number is left alone. */
    function commit(done) {
      const value = Number(input.value);
      if (input.value !== "" && value >= least && value <= most) onChange(value);
      else if (done) onChange(within(value || least, { least, most }));
    }

    function show(value) {
      if (Number(input.value) !== value || input.value === "") input.value = value;
      less.disabled = value <= least;
      more.disabled = value >= most;
    }

    return { element: make("span", { class: "cx-stepper" }, less, input, more), show };
  }

  function whole(name, rule, onChange) {
    const inner = stepper({ name: rule.label, ...rule, onChange });
    // The number has the name itself; a group of one would say it twice.
    const element = make("div", { class: "cx-row" },
      make("span", { class: "cx-name", "aria-hidden": "true" }, rule.label), inner.element);
    return { element, show: inner.show };
  }

  function labelled(name, rule, onChange) {
    return whole(name, { step: rule.step || 0.1, ...rule }, onChange);
  }

  /* Height and width; one button keeps both alike, as the single number in Keras does. A rule
     that is `apart` has no such button. */
  function pair(name, rule, onChange) {
    let value = rule.value;
    let linked = rule.apart ? false : null;
    const link = make("button", {
      type: "button", class: "cx-link", title: "keep both sides equal",
      "aria-label": `${rule.label}: keep both sides equal`,
      on: { click: () => { linked = !linked; paint(); if (linked) onChange([value[0], value[0]]); } },
    }, "=");
    const sides = ["height", "width"].map((side, index) =>
      stepper({ name: `${rule.label}, ${side}`, ...rule, onChange: (one) => change(index, one) })
    );

    function change(side, one) {
      const other = linked ? one : value[1 - side];
      onChange(side === 0 ? [one, other] : [other, one]);
    }

    function paint() {
      link.setAttribute("aria-pressed", String(linked));
    }

    function show(next) {
      value = next;
      if (linked === null || (linked && next[0] !== next[1])) linked = next[0] === next[1];
      sides.forEach((side, index) => side.show(next[index]));
      paint();
    }

    const both = make("span", { class: "cx-pair" }, sides[0].element, rule.apart ? null : link, sides[1].element);
    return { element: row(rule.label, both), show };
  }

  /* A few words to choose from, all to be seen; more than three fold into a list. */
  function choice(name, rule, onChange) {
    return rule.options.length > 3 ? list(rule, onChange) : segments(rule, onChange);
  }

  function list(rule, onChange) {
    const id = unique("list");
    const select = make("select", {
      id, class: "cx-select", on: { change: () => onChange(select.value) },
    }, rule.options.map((option) => make("option", { value: option }, option)));
    const element = make("div", { class: "cx-row" },
      make("label", { class: "cx-name", for: id }, rule.label), select);
    return { element, show: (value) => { select.value = value; } };
  }

  function segments(rule, onChange) {
    const group = unique("choice");
    const inputs = rule.options.map((option) =>
      make("input", { type: "radio", name: group, value: option, on: { change: () => onChange(option) } })
    );
    const set = make("span", { class: "cx-segments", role: "radiogroup", "aria-label": rule.label },
      inputs.map((input) => make("label", {}, input, make("span", {}, input.value))));
    return {
      element: row(rule.label, set),
      show: (value) => inputs.forEach((input) => { input.checked = input.value === value; }),
    };
  }

  function flag(name, rule, onChange) {
    const input = make("input", { type: "checkbox", on: { change: () => onChange(input.checked) } });
    const element = make("label", { class: "cx-row cx-flag" },
      make("span", { class: "cx-name" }, rule.label), input);
    return { element, show: (value) => { input.checked = value; } };
  }

  function slider(name, rule, onChange) {
    const id = unique("slider");
    const input = make("input", {
      id, type: "range", min: rule.least, max: rule.most, step: rule.step || 1, class: "cx-slider",
      on: { input: () => onChange(Number(input.value)) },
    });
    const output = make("output", { for: id, class: "cx-value" });
    const element = make("div", { class: "cx-row" },
      make("label", { class: "cx-name", for: id }, rule.label), input, output);
    return {
      element,
      show: (value) => {
        input.value = value;
        output.textContent = explorer.dom.number(value, 4);
      },
    };
  }

  function row(name, content) {
    return make("div", { class: "cx-row", role: "group", "aria-label": name },
      make("span", { class: "cx-name", "aria-hidden": "true" }, name), content);
  }

  const KINDS = { whole, pair, choice, flag, number: labelled, slider };

  /* A panel of controls for some parameters of a view. */
  function panel(view, names, set) {
    const rules = explorer.parameters[view];
    const parts = names.map((name) => {
      const rule = rules[name];
      const kind = rule.shown || rule.kind;
      return [name, KINDS[kind](name, rule, (value) => set({ [name]: value }))];
    });
    const element = make("div", { class: "cx-panel" }, parts.map(([, part]) => part.element));
    let shown = {};
    function show(state) {
      for (const [name, part] of parts) {
        if (!same(shown[name], state[name])) part.show(state[name]);
      }
      shown = { ...state };
    }
    return { element, show, part: (name) => parts.find(([one]) => one === name)[1] };
  }

  explorer.controls = { stepper, panel, choice, slider, flag };
})((window.convlabExplorer = window.convlabExplorer || {}));
