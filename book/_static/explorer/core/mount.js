/* Brings every explorer of a page to life: its views, its address, and what stands below them. */
(function (explorer) {
  "use strict";
  const { make, unique } = explorer.dom;
  const WAIT = 250;  // milliseconds without a change before the address follows
  const ALONG = ["whole", "pair", "number", "choice", "flag"];  // kinds that go along to another view
  const UNSEEN = 600;  // pixels to draw for while the page hides the explorer

  function mount(place) {
    const preset = JSON.parse(place.dataset.explorer);
    const names = preset.views.filter((name) => explorer.views[name]);
    const states = {};
    const parts = {};
    let current = null;
    let timer = null;
    const live = make("p", { class: "cx-hidden", "aria-live": "polite" });
    const stage = make("div", { class: "cx-stage" });
    const tabs = makeTabs();
    const code = explorer.code.panel(announce);
    const told = make("span", { class: "cx-told", "aria-hidden": "true" });
    const footer = make("div", { class: "cx-footer" },
      button("Copy link", copyLink), button("Reset", reset), told);
    place.replaceChildren(...(names.length > 1 ? [tabs.element] : []), stage, code.element, footer, live);
    place.classList.add("cx-live");

    function button(text, onClick) {
      return make("button", { type: "button", class: "cx-button", on: { click: onClick } }, text);
    }

    function announce(text) {
      live.textContent = text;
      if (/^Copied|^The browser/.test(text)) {
        told.textContent = text;
        setTimeout(() => { told.textContent = ""; }, 8000);
      }
    }

    /* What a view may ask of the page around it. */
    function host(name) {
      return {
        set: (changes) => set(name, changes),
        width: () => stage.clientWidth || UNSEEN,
        announce,
      };
    }

    function part(name) {
      if (!parts[name]) {
        parts[name] = explorer.views[name].create(host(name));
        stage.append(parts[name].element);
      }
      return parts[name];
    }

    function presetState(name) {
      const own = name === preset.view ? preset.state : {};
      const raw = { ...explorer.state.defaults(name), ...own };
      return explorer.views[name].settle(explorer.state.keep(name, raw), null);
    }

    function set(name, changes) {
      const before = states[name];
      const raw = explorer.state.keep(name, { ...before, ...changes });
      states[name] = explorer.views[name].settle(raw, before);
      keepingPlace(() => show(name, before));
      clearTimeout(timer);
      timer = setTimeout(writeAddress, WAIT);
    }

    function show(name, before = null) {
      part(name).update(states[name], before);
      code.show(explorer.views[name].code(states[name]));
    }

    /* A figure that grows pushes the controls below it down: the one in use stays where it was. */
    function keepingPlace(work) {
      const control = document.activeElement.closest(".cx-panel");
      if (!control || !place.contains(control)) { work(); return; }
      const top = control.getBoundingClientRect().top;
      work();
      window.scrollBy({ top: control.getBoundingClientRect().top - top, behavior: "instant" });
    }

    /* Another view: what both know goes along. */
    function open(name, along = true) {
      if (current && current !== name) {
        if (parts[current].stop) parts[current].stop();
        parts[current].element.hidden = true;
      }
      const carried = along && current && current !== name ? broughtAlong(name) : {};
      const raw = explorer.state.keep(name, { ...(states[name] || presetState(name)), ...carried });
      states[name] = explorer.views[name].settle(raw, states[name] || null);
      current = name;
      part(name).element.hidden = false;
      tabs.show(name);
      show(name);
    }

    /* A view may add what only it knows how to say in the other's words. */
    function broughtAlong(to) {
      const { carry = () => ({}) } = explorer.views[current];
      return { ...shared(states[current], current, to), ...carry(states[current], to) };
    }

    /* What both views know; a pair becomes a whole number where its sides are alike, and back. */
    function shared(state, from, to) {
      const here = explorer.parameters[from];
      const there = explorer.parameters[to];
      return Object.fromEntries(Object.keys(there)
        .filter((key) => here[key])
        .map((key) => [key, brought(state[key], here[key].kind, there[key].kind)])
        .filter(([, value]) => value !== null));
    }

    function brought(value, from, to) {
      if (from === to) return ALONG.includes(from) ? value : null;
      if (from === "whole" && to === "pair") return [value, value];
      return from === "pair" && to === "whole" && value[0] === value[1] ? value[0] : null;
    }

    function makeTabs() {
      const id = unique("tabs");
      const list = names.map((name) => make("button", {
        type: "button", role: "tab", id: `${id}-${name}`, tabindex: "-1",
        on: { click: () => { open(name); writeAddress(); }, keydown: (event) => step(event, name) },
      }, explorer.views[name].title));
      const element = make("div", { class: "cx-tabs", role: "tablist", "aria-label": "views" }, list);
      function step(event, name) {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!by) return;
        event.preventDefault();
        const next = (names.indexOf(name) + by + names.length) % names.length;
        list[next].focus();
        list[next].click();
      }
      function select(name) {
        list.forEach((tab, at) => {
          tab.setAttribute("aria-selected", String(names[at] === name));
          tab.tabIndex = names[at] === name ? 0 : -1;
        });
        if (names.length > 1) {
          stage.setAttribute("role", "tabpanel");
          stage.setAttribute("aria-labelledby", `${id}-${name}`);
        }
      }
      return { element, show: select };
    }

    function addressPart() {
      const text = explorer.state.write(current, states[current]);
      return `#${place.id}?view=${current}${text ? `&${text}` : ""}`;
    }

    function writeAddress() {
      clearTimeout(timer);
      history.replaceState(null, "", addressPart());
    }

    /* The address, if it speaks of this explorer. */
    function readAddress() {
      const [id, text] = splitOnce(location.hash.slice(1), "?");
      if (id !== place.id || !text) return false;
      const view = new URLSearchParams(text).get("view");
      const name = names.includes(view) ? view : names[0];
      const state = explorer.state.parse(name, text);
      states[name] = explorer.views[name].settle(state, null);
      open(name, false);
      return true;
    }

    function copyLink() {
      writeAddress();
      const { linkNote = () => "" } = explorer.views[current];
      const note = linkNote(states[current]);
      explorer.code.copyText(location.href, (text) => announce(`${text}${note}`));
    }

    function reset() {
      states[current] = presetState(current);
      show(current);
      history.replaceState(null, "", `#${place.id}`);
      announce("Reset.");
    }

    function arrive() {
      if (!readAddress()) return;
      place.scrollIntoView({ block: "start" });
    }

    explorer.mounted.push({ place, parts, states });
    open(preset.view, false);
    arrive();
    window.addEventListener("hashchange", arrive);
    new ResizeObserver(resized).observe(stage);
    let width = stage.clientWidth;
    function resized() {
      if (stage.clientWidth === width) return;
      width = stage.clientWidth;
      show(current, states[current]);
    }
  }

  function splitOnce(text, mark) {
    const at = text.indexOf(mark);
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  }

  function start() {
    document.querySelectorAll(".cx[data-explorer]").forEach(mount);
  }

  explorer.mounted = [];
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})((window.convlabExplorer = window.convlabExplorer || {}));
