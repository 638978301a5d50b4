/* Quick questions: each form asks, checks the answer in the page, replies to it and remembers it.
   A classic script without a build step: it also runs from a file. Answers stay in this browser. */
(() => {
  "use strict";

  const STORE = "convlab-questions";
  const ENOUGH = 2; /* wrong answers after which the right one may be shown */

  /* ---- Memory ---- */

  function readAll() {
    try {
      return JSON.parse(localStorage.getItem(STORE)) || {};
    } catch {
      return {}; /* private windows and full disks: then nothing is remembered */
    }
  }

  function remember(name, state) {
    const all = readAll();
    if (state) all[name] = state;
    else delete all[name];
    try {
      localStorage.setItem(STORE, JSON.stringify(all));
    } catch {
      /* as above */
    }
  }

  /* ---- Elements ---- */

  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(properties)) {
      if (key.includes("-") || key === "role" || key === "for") element.setAttribute(key, value);
      else element[key] = value;
    }
    element.append(...children);
    return element;
  }

  /* Text in which `code` and *emphasis* are marked as in the chapters. */
  function phrase(text) {
    return text.split(/(`[^`]+`|\*[^*\s][^*]*\*)/).map((part) => {
      if (/^`.+`$/.test(part)) return make("code", {}, part.slice(1, -1));
      if (/^\*[^*\s].*\*$/.test(part)) return make("em", {}, part.slice(1, -1));
      return part;
    });
  }

  function same(one, other) {
    return JSON.stringify(one) === JSON.stringify(other);
  }

  /* ---- Numbers ---- */

  /* "1/9", "−3", "2,5" and "1 2 3" are numbers as people write them. */
  function parseOne(text) {
    const [top, bottom, ...more] = text.replace(/[−–]/g, "-").split("/");
    if (more.length || !top.trim() || (bottom !== undefined && !bottom.trim())) return NaN;
    return bottom === undefined ? Number(top) : Number(top) / Number(bottom);
  }

  function parseNumbers(text, several) {
    let clean = text.trim().replace(/[[\](){}]/g, " ").replace(/×|x(?=\s*\d)/gi, " ");
    clean = clean.replace(/\s*\/\s*/g, "/");
    if (!several) clean = clean.replace(/[ \u00a0'](?=\d{3}\b)/g, "");
    if (!several && /^[-−]?\d{1,3}(,\d{3})+$/.test(clean)) clean = clean.replace(/,/g, "");
    if (!several && /^[-−]?\d+,\d+$/.test(clean)) clean = clean.replace(",", ".");
    const parts = clean.split(/[\s,;]+/).filter(Boolean);
    const numbers = parts.map(parseOne);
    return numbers.length && numbers.every(Number.isFinite) ? numbers : null;
  }

  function close(given, wanted, within) {
    const one = [given].flat();
    const other = [wanted].flat();
    return (
      one.length === other.length &&
      one.every((value, i) => Math.abs(value - other[i]) <= within + 1e-9)
    );
  }

  function numberField(form, data, id) {
    const several = Array.isArray(data.answer);
    const hint = several ? `${data.answer.length} numbers, with spaces between` : "A number";
    const input = make("input", {
      type: "text",
      id: `${id}-input`,
      autocomplete: "off",
      spellcheck: false,
      size: several ? 18 : 8,
      "aria-describedby": `${id}-ask`,
    });
    const label = make("label", { for: input.id }, ...phrase(data.label || hint));
    return {
      element: make("div", { className: "question-number" }, label, input),
      read() {
        const numbers = parseNumbers(input.value, several);
        if (!numbers) return null;
        if (!several) return numbers.length === 1 ? numbers[0] : null;
        const named = (data.wrong || []).some(([wrong]) => close(numbers, wrong, 0));
        return named || numbers.length === data.answer.length ? numbers : null;
      },
      asks: several
        ? `Type ${data.answer.length} numbers, with spaces between: ${[4, 8, 15, 16, 23, 42].slice(0, data.answer.length).join(" ")}, say.`
        : "Type one number, such as 12 or −0.5 or 1/3.",
      isRight: (given) => close(given, data.answer, data.within || 0),
      isNamed: (given, wrong) => close(given, wrong, data.within || 0),
      show(given) {
        input.value = [given].flat().join(" ").replace(/-/g, "−");
      },
      focus: () => input.focus(),
      lock: (locked) => (input.readOnly = locked),
    };
  }

  /* ---- Choice ---- */

  function optionsOf(form) {
    const list = form.querySelector(".question-options");
    const parts = [...list.children].map((item) => [...item.childNodes]);
    list.remove();
    return parts;
  }

  function choiceField(form, data, id) {
    const group = make("fieldset", { className: "question-choice" });
    group.append(make("legend", {}, "Choose one"));
    const inputs = optionsOf(form).map((content, i) => {
      const input = make("input", { type: "radio", name: id, value: String(i + 1) });
      group.append(make("label", {}, input, make("span", {}, ...content)));
      return input;
    });
    return {
      element: group,
      read() {
        const chosen = inputs.find((input) => input.checked);
        return chosen ? Number(chosen.value) : null;
      },
      asks: "Choose one of the answers.",
      isRight: (given) => given === data.answer,
      isNamed: (given, wrong) => given === wrong,
      show: (given) => (inputs[given - 1].checked = true),
      focus: () => (inputs.find((input) => input.checked) || inputs[0]).focus(),
      lock: (locked) => inputs.forEach((input) => (input.disabled = locked && !input.checked)),
    };
  }

  /* ---- Order: press the entries one after the other ---- */

  function orderField(form, data, id) {
    const how = make("p", { className: "question-how", id: `${id}-how` }, "Press them in order, the first one first.");
    const group = make("div", { className: "question-order", role: "group", "aria-labelledby": how.id });
    let order = [];
    let locked = false;
    const buttons = optionsOf(form).map((content, i) => {
      const place = make("span", { className: "question-place", "aria-hidden": "true" });
      const told = make("span", { className: "question-hidden" });
      const button = make("button", { type: "button" }, place, make("span", {}, ...content), told);
      button.addEventListener("click", () => {
        if (!locked) press(i + 1);
      });
      group.append(button);
      return { button, place, told };
    });
    function press(entry) {
      order = order.includes(entry) ? order.filter((one) => one !== entry) : [...order, entry];
      draw();
    }
    function draw() {
      buttons.forEach(({ button, place, told }, i) => {
        const rank = order.indexOf(i + 1) + 1;
        place.textContent = rank || "";
        told.textContent = rank ? `, number ${rank}` : ", no number yet";
        button.classList.toggle("is-placed", rank > 0);
      });
    }
    draw();
    return {
      element: make("div", {}, how, group),
      read: () => (order.length === buttons.length ? order : null),
      asks: "Press all of them, the first one first. Pressing one again takes it back.",
      isRight: (given) => same(given, data.answer),
      isNamed: (given, wrong) => same(given, wrong),
      show(given) {
        order = [...given];
        draw();
      },
      clear() {
        order = [];
        draw();
      },
      focus: () => buttons[0].button.focus(),
      lock(yes) {
        locked = yes;
        buttons.forEach(({ button }) => button.setAttribute("aria-disabled", String(yes)));
      },
    };
  }

  /* ---- Cells of a grid ---- */

  const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  function cellField(form, data) {
    const rows = data.grid;
    const several = data.answer.length > 1;
    const columns = Math.max(...rows.map((row) => row.length));
    const group = make("div", { className: "question-grid", role: "group" });
    group.setAttribute("aria-label", several ? "Cells; press those you mean" : "Cells; press one");
    group.style.setProperty("--columns", columns);
    let chosen = [];
    let locked = false;
    const buttons = new Map();
    rows.forEach((row, r) => row.forEach((text, c) => group.append(cell(String(text), r, c))));
    function cell(text, r, c) {
      const isPadding = text.startsWith("p");
      const shown = isPadding ? text.slice(1) : text;
      const button = make("button", { type: "button", "aria-pressed": "false" }, shown);
      const what = isPadding ? "padding " : "";
      button.setAttribute("aria-label", `${what}${shown || "cell"}, row ${r + 1}, column ${c + 1}`);
      button.className = `role-${isPadding ? "padding" : data.label || "input"}`;
      button.tabIndex = r || c ? -1 : 0;
      button.addEventListener("click", () => choose([r + 1, c + 1]));
      button.addEventListener("keydown", (event) => move(event, r, c));
      buttons.set(`${r},${c}`, button);
      return button;
    }
    function move(event, r, c) {
      const step = ARROWS[event.key];
      const next = step && buttons.get(`${r + step[0]},${c + step[1]}`);
      if (!step) return;
      event.preventDefault();
      if (next) next.focus();
    }
    group.addEventListener("focusin", (event) => {
      buttons.forEach((button) => (button.tabIndex = button === event.target ? 0 : -1));
    });
    function choose(place) {
      if (locked) return;
      const had = chosen.some((one) => same(one, place));
      if (!several) chosen = [place];
      else chosen = had ? chosen.filter((one) => !same(one, place)) : [...chosen, place];
      draw();
    }
    function draw() {
      buttons.forEach((button, key) => {
        const [r, c] = key.split(",").map(Number);
        const on = chosen.some((one) => same(one, [r + 1, c + 1]));
        button.setAttribute("aria-pressed", String(on));
      });
    }
    const sorted = (places) => [...places].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    return {
      element: group,
      read: () => (chosen.length ? sorted(chosen) : null),
      asks: several ? "Press the cells that you mean." : "Press one cell.",
      isRight: (given) => same(given, sorted(data.answer)),
      isNamed: (given, wrong) => same(given, sorted(wrong)),
      show(given) {
        chosen = given.map((place) => [...place]);
        draw();
      },
      focus: () => group.querySelector("button").focus(),
      lock(yes) {
        locked = yes;
        buttons.forEach((button) => button.setAttribute("aria-disabled", String(yes)));
      },
    };
  }

  const FIELDS = { number: numberField, choice: choiceField, order: orderField, cell: cellField };

  /* ---- One question ---- */

  function mount(form) {
    const data = JSON.parse(form.dataset.question);
    const field = FIELDS[data.kind](form, data, form.id);
    const reply = make("p", { className: "question-reply", role: "status" });
    const check = make("button", { type: "submit", className: "question-check" }, "Check");
    const reveal = make("button", { type: "button", hidden: true }, "Show the answer");
    const again = make("button", { type: "button", hidden: true }, "Ask me again");
    const buttons = make("div", { className: "question-buttons" }, check, reveal, again);
    form.append(field.element, buttons, reply);
    let tries = 0;

    function say(kind, text) {
      const marks = { right: "✓ Right. ", wrong: "✗ Not yet. ", shown: "The answer. ", asks: "" };
      form.dataset.state = kind;
      reply.replaceChildren(make("strong", {}, marks[kind]), ...phrase(text));
    }

    function settle(kind, text) {
      say(kind, text);
      field.lock(true);
      check.hidden = reveal.hidden = true;
      again.hidden = false;
    }

    function mendOf(given) {
      const named = (data.wrong || []).find(([wrong]) => field.isNamed(given, wrong));
      return named ? named[1] : data.else;
    }

    function judge(given) {
      if (field.isRight(given)) {
        settle("right", data.right);
        return;
      }
      say("wrong", mendOf(given));
      reveal.hidden = tries < ENOUGH;
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (check.hidden) return;
      const given = field.read();
      if (given === null) {
        say("asks", field.asks);
        field.focus();
        return;
      }
      tries += 1;
      remember(form.dataset.name, { given, right: field.isRight(given), tries });
      judge(given);
      if (again.hidden === false) again.focus();
      tally();
    });

    reveal.addEventListener("click", () => {
      field.show(data.answer);
      settle("shown", data.right);
      again.focus();
    });

    again.addEventListener("click", () => {
      remember(form.dataset.name, null);
      tries = 0;
      delete form.dataset.state;
      reply.replaceChildren();
      field.lock(false);
      if (field.clear) field.clear();
      check.hidden = false;
      reveal.hidden = again.hidden = true;
      field.focus();
      tally();
    });

    const before = readAll()[form.dataset.name];
    if (before) {
      tries = before.tries;
      try {
        field.show(before.given);
        judge(before.given);
      } catch {
        remember(form.dataset.name, null); /* the question has changed since */
      }
    }
  }

  /* ---- The chapter: how many are answered, and the steps of its part ---- */

  function tally() {
    const all = readAll();
    const forms = [...document.querySelectorAll("form.question")];
    const right = forms.filter((form) => all[form.dataset.name]?.right).length;
    const strip = document.querySelector(".part-progress");
    if (!strip) return;
    if (forms.length) {
      const chapter = forms[0].dataset.name.split(".")[0];
      remember(`${chapter}.*`, { total: forms.length, right });
      let told = strip.querySelector(".question-tally");
      if (!told) {
        told = make("span", { className: "question-tally" });
        strip.append(told);
      }
      told.textContent = `Questions: ${right} of ${forms.length}`;
    }
    const after = readAll();
    for (const step of strip.querySelectorAll("[data-chapter]")) {
      const state = after[`${step.dataset.chapter}.*`];
      step.toggleAttribute("data-done", Boolean(state && state.right === state.total));
    }
  }

  function start() {
    document.querySelectorAll("form.question").forEach(mount);
    tally();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
