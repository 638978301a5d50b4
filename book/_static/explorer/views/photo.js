/* The view Photo: a photo under up to four kernels, beside each other or compared by a slider. */
(function (explorer) {
  "use strict";
  const { make, number, count } = explorer.dom;
  const { axis, range } = explorer.sizes;
  const { pictures } = explorer;
  const CREDITS = {
    china: "“china” by danielbuechele, CC BY 2.0, flickr.com/photos/danielbuechele/6061409035, made smaller",
    flower: "“flower” by vultilion, CC BY 2.0, flickr.com/photos/vultilion/6056698931, made smaller",
  };
  const MOST = 4;  // filters
  const OWN = "own";

  /* The weights of every filter: by name, or as the reader wrote them. */
  function kernels(state) {
    const size = state.kernel_size;
    return state.kernels.map((name, at) => {
      if (name !== OWN) return pictures.kernel(name, size);
      return state.kernel.slice(at * size * size, (at + 1) * size * size);
    });
  }

  function settle(state, before) {
    const next = { ...state };
    const size = next.kernel_size;
    const wanted = next.kernels.length * size * size;
    if (before && next.kernel && next.kernel.length !== wanted) {
      const from = [before.kernels.length, before.kernel_size, before.kernel_size];
      const to = [next.kernels.length, size, size];
      next.kernel = explorer.sums.refit(next.kernel, from, to, new Array(wanted).fill(0));
    }
    if (!next.kernel || next.kernel.length !== wanted) {
      next.kernel = null;
      next.kernels = next.kernels.map((name) => (name === OWN ? "identity" : name));
    }
    if (!next.kernels.includes(OWN)) next.kernel = null;
    next.filter = Math.min(next.filter, next.kernels.length - 1);
    return next;
  }

  function create(host) {
    let state = null;
    let photo = null;
    let own = null;
    let results = [];
    let scheduled = false;
    const canvases = { photo: canvas("the photo"), result: canvas("the photo under the kernel") };
    const split = make("input", {
      type: "range", min: 0, max: 1, step: 0.01, class: "cx-slider", "aria-label": "compare: photo to the right, filtered to the left",
      on: { input: () => host.set({ split: Number(split.value) }) },
    });
    const divider = make("span", { class: "cx-divider" });
    const spot = make("span", { class: "cx-spot-frame" });
    const sideNames = ["filtered", "photo"].map((name) => make("span", { class: `cx-side-of cx-side-${name}`, "aria-hidden": "true" }, name));
    const pair = make("div", { class: "cx-compare" }, canvases.photo, canvases.result, divider, spot, sideNames);
    const compare = make("div", { class: "cx-comparison" }, pair, split);
    const tiles = make("div", { class: "cx-tiles" });
    const drop = make("div", { class: "cx-drop-zone" }, compare, tiles);
    const trouble = make("p", { class: "cx-refusal", role: "status" });
    const source = explorer.photoSource.create({
      drop,
      onPhoto: (pixels) => { own = pixels; trouble.textContent = ""; host.set({ photo: "own" }); usePhoto(pixels); },
      onTrouble: (text) => { trouble.textContent = text; },
    });
    const credit = make("p", { class: "cx-help cx-credit" });
    const words = make("p", { class: "cx-reading" });
    const scale = make("span", { class: "cx-scale" });
    const chips = make("div", { class: "cx-row cx-chips", role: "group", "aria-label": "filters" });
    const grid = explorer.grid.create({ role: "kernel", onEdit: editWeight });
    const preset = explorer.controls.choice("preset", {
      options: [...Object.keys(PRESETS), OWN], label: "kernel",
    }, pickPreset);
    const panels = [
      explorer.controls.panel("photo", ["kernel_size", "strides", "padding", "dilation_rate"], host.set),
      explorer.controls.panel("photo", ["activation", "bias", "colour", "display", "pixel"], host.set),
    ];
    const top = explorer.controls.panel("photo", ["photo", "show"], host.set);
    top.element.classList.add("cx-photo-top");
    const sizes = make("p", { class: "cx-shapes" });
    const help = make("p", { class: "cx-help" });
    const kernelBox = make("div", { class: "cx-kernel-box cx-of-kernel" }, grid.element,
      make("div", { class: "cx-panel" }, preset.element, help));
    const element = make("div", { class: "cx-view cx-photo" },
      make("div", { class: "cx-photo-head" }, top.element, source.element),
      trouble, drop, make("div", { class: "cx-under" }, scale, credit), chips, kernelBox, words,
      make("div", { class: "cx-panels" }, panels.map((panel) => panel.element)), sizes);

    pair.addEventListener("pointerdown", grab);
    pair.addEventListener("pointermove", (event) => { if (event.buttons > 0) grab(event); });

    function canvas(name) {
      return make("canvas", { role: "img", "aria-label": name });
    }

    /* A press near the divider moves it; elsewhere it chooses the pixel to look at. */
    let held = null;
    function grab(event) {
      const box = pair.getBoundingClientRect();
      const at = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
      if (event.type === "pointerdown") held = Math.abs(at[1] - state.split) < 0.06 ? "split" : "pixel";
      if (held === "split") host.set({ split: Math.min(Math.max(at[1], 0), 1) });
      else if (results[state.filter]) {
        const { down, across } = results[state.filter];
        const sides = [down, across].map((line, side) => {
          const pixel = at[side] * line.size + line.before - line.reach / 2;
          return Math.max(0, Math.min(Math.round(pixel / line.stride), line.count - 1));
        });
        host.set({ pixel: sides });
      }
    }

    function pickPreset(name) {
      const next = state.kernels.map((one, at) => (at === state.filter ? name : one));
      if (name === OWN) host.set({ kernels: next, kernel: kernels(state).flat() });
      else host.set({ kernels: next });
    }

    function editWeight([row, column], value) {
      if (value !== null) {
        const all = kernels(state);
        all[state.filter] = all[state.filter].map((one, at) => (at === row * state.kernel_size + column ? value : one));
        host.set({
          kernels: state.kernels.map((one, at) => (at === state.filter ? OWN : one)), kernel: all.flat(),
        });
      }
      return true;
    }

    function showChips() {
      const buttons = state.kernels.map((name, at) => make("button", {
        type: "button", class: "cx-button cx-chip", "aria-pressed": String(at === state.filter),
        on: { click: () => { host.set({ filter: at }); chips.children[at].focus(); } },
      }, `${at}: ${name}`));
      const add = make("button", {
        type: "button", class: "cx-button", "aria-label": "add a filter", disabled: state.kernels.length >= MOST,
        on: { click: () => host.set({ kernels: [...state.kernels, "identity"], filter: state.kernels.length }) },
      }, "+");
      const less = make("button", {
        type: "button", class: "cx-button", "aria-label": "remove this filter", disabled: state.kernels.length < 2,
        on: { click: removeFilter },
      }, "−");
      const focused = chips.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
      chips.replaceChildren(...buttons, add, less);
      if (focused) [...chips.children].find((one) => one.getAttribute("aria-label") === focused && !one.disabled)?.focus();
    }

    function removeFilter() {
      const stays = (_, at) => at !== state.filter;
      const own = state.kernel ? kernels(state).filter(stays).flat() : null;
      host.set({ kernels: state.kernels.filter(stays), kernel: own });
    }

    function usePhoto(pixels) {
      photo = pixels;
      schedule();
    }

    /* At most once for each picture of the screen: sliders fire more often. */
    function schedule() {
      if (scheduled) return;
      scheduled = true;
      requestAnimationFrame(() => {
        scheduled = false;
        if (photo && state) compute();
      });
    }

    function compute() {
      const all = pictures.planes(photo, state.colour === "grey");
      const act = explorer.activations.ACTIVATIONS[state.activation][0];
      trouble.textContent = "";
      results = kernels(state).map((weights) => {
        const [down, across] = [photo.height, photo.width].map((size) =>
          axis(size, state.kernel_size, state.strides, state.dilation_rate, state.padding));
        if (down.count < 1 || across.count < 1) return null;
        const out = all.map((plane) => pictures.convolve(plane, down, across, weights, state.bias));
        if (state.activation !== "linear") out.forEach((plane) => { for (let at = 0; at < plane.length; at += 1) plane[at] = act(plane[at]); });
        const signed = isSigned(weights);
        return { planes: out, down, across, extent: pictures.extent(out), limit: signed ? pictures.limit(out) : null };
      });
      if (!results[0]) trouble.textContent = "No window fits onto this photo.";
      paintAll(all);
      read();
    }

    /* As in the figures of the book: a kernel whose numbers sum to 0 gives signed numbers. */
    function isSigned(weights) {
      if (state.display !== "auto") return state.display === "signed";
      return Math.abs(weights.reduce((sum, one) => sum + one, 0)) < 1e-9;
    }

    /* The output as large as the photo: each cell lies over the middle of its window. */
    function paintOutput(target, result) {
      const { down, across } = result;
      const small = make("canvas", { width: across.count, height: down.count });
      small.getContext("2d").putImageData(
        pictures.paint(result.planes, across.count, down.count, result.limit), 0, 0);
      target.width = photo.width;
      target.height = photo.height;
      const context = target.getContext("2d");
      context.imageSmoothingEnabled = false;
      const [top, left] = [down, across].map((line) => (line.reach - line.stride) / 2 - line.before);
      context.drawImage(small, left, top, across.count * across.stride, down.count * down.stride);
    }

    function paintAll(all) {
      const isBoth = state.show === "compare";
      element.style.setProperty("--aspect", photo.width / photo.height);
      compare.hidden = !isBoth;
      tiles.hidden = isBoth;
      if (isBoth) {
        canvases.photo.width = photo.width;
        canvases.photo.height = photo.height;
        canvases.photo.getContext("2d").putImageData(pictures.paint(all, photo.width, photo.height, null), 0, 0);
        if (results[state.filter]) paintOutput(canvases.result, results[state.filter]);
      } else paintTiles(all);
      placeMarks();
    }

    function paintTiles(all) {
      const wanted = state.kernels.length + 1;
      while (tiles.childElementCount > wanted) tiles.lastChild.remove();
      while (tiles.childElementCount < wanted) {
        tiles.append(make("figure", { class: "cx-tile" }, canvas(""), make("figcaption", {})));
      }
      [...tiles.children].forEach((tile, at) => {
        const [target, caption] = tile.children;
        const name = at === 0 ? "the photo" : `${at - 1}: ${state.kernels[at - 1]}`;
        caption.textContent = name;
        target.setAttribute("aria-label", at === 0 ? "the photo" : `the photo under ${state.kernels[at - 1]}`);
        tile.classList.toggle("cx-chosen", at - 1 === state.filter);
        if (at === 0) {
          target.width = photo.width;
          target.height = photo.height;
          target.getContext("2d").putImageData(pictures.paint(all, photo.width, photo.height, null), 0, 0);
        } else if (results[at - 1]) paintOutput(target, results[at - 1]);
      });
    }

    function placeMarks() {
      const result = results[state.filter];
      split.value = state.split;
      canvases.result.style.clipPath = `inset(0 ${100 * (1 - state.split)}% 0 0)`;
      divider.style.left = `${100 * state.split}%`;
      spot.hidden = !result;
      if (!result) return;
      const [row, column] = cellOf(result);
      const box = [[result.down, row], [result.across, column]].map(([line, cell]) => [
        (100 * (cell * line.stride - line.before)) / line.size, (100 * line.reach) / line.size]);
      Object.assign(spot.style, {
        top: `${box[0][0]}%`, height: `${box[0][1]}%`, left: `${box[1][0]}%`, width: `${box[1][1]}%`,
      });
    }

    function cellOf({ down, across }) {
      return [Math.min(state.pixel[0], down.count - 1), Math.min(state.pixel[1], across.count - 1)];
    }

    function read() {
      const result = results[state.filter];
      if (!result) { words.textContent = ""; sizes.textContent = ""; return; }
      const [row, column] = cellOf(result);
      // The field says what the words say, also where the map ends before the pixel that was chosen.
      panels[1].part("pixel").show([row, column]);
      const values = result.planes.map((plane) => number(plane[row * result.across.count + column], 3));
      const names = result.planes.length === 1 ? [""] : ["red ", "green ", "blue "];
      words.textContent = `y[${row}, ${column}] = ${values.map((value, at) => names[at] + value).join(", ")}. `
        + `The map runs from ${number(result.extent[0], 2)} to ${number(result.extent[1], 2)}.`;
      sizes.textContent = `${photo.height} × ${photo.width} pixels  →  ${result.down.count} × ${result.across.count} cells, `
        + `${count(result.down.count * result.across.count * state.kernel_size ** 2 * result.planes.length)} multiply-adds for each filter.`;
      showScale(result);
      if (state.photo !== OWN) host.announce(words.textContent);  // a camera would never be silent
    }

    function showScale(result) {
      const { limit, extent } = result;
      scale.replaceChildren();
      if (limit === null) { scale.textContent = "black is 0, white is 1; what lies outside is clipped"; return; }
      const [least, most] = Math.max(-extent[0], extent[1]) > limit ? ["≤ ", "≥ "] : ["", ""];
      scale.append(`${least}${number(-limit, 3)}`, make("span", {
        class: "cx-ramp", role: "img", "aria-label": "dark for negative, grey for 0, light for positive",
        style: `background: linear-gradient(to right, ${pictures.STOPS.map((stop) => `#${stop}`).join(", ")})`,
      }), `${most}${number(limit, 3)}${result.planes.length > 1 ? ", the mean of red, green and blue" : ""}`);
    }

    function showKernel() {
      const weights = kernels(state)[state.filter];
      const size = state.kernel_size;
      grid.show({ rows: size, columns: size, top: 0, left: 0 }, `kernel of filter ${state.filter}`, (row, column) => {
        const value = weights[row * size + column];
        return { value, label: `weight ${row}, ${column}: ${number(value, 3)}`, classes: "" };
      });
      grid.grid.style.setProperty("--cell", size > 6 ? "30px" : "38px");
      preset.show(state.kernels[state.filter]);
      const sum = weights.reduce((all, one) => all + one, 0);
      help.textContent = `The numbers sum to ${number(sum, 3)}. To change one, choose it and type, or press it twice.`;
    }

    function update(next, before) {
      const changed = !before || !onlyMarks(before, next) || !state;
      state = next;
      for (const panel of [...panels, top]) panel.show(state);
      // Until there is a picture of the reader's own, it cannot be chosen.
      top.element.querySelector("input[value=own]").parentElement.hidden = !own;
      showChips();
      showKernel();
      credit.textContent = CREDITS[state.photo] || "Your picture stays on this page: nothing is sent. A large one is made smaller.";
      if (state.photo !== "own" && (!before || before.photo !== state.photo)) {
        source.stop();
        explorer.photoSource.bundled(state.photo).then(usePhoto, (error) => { trouble.textContent = error.message; });
      } else if (state.photo === "own" && !own) {
        // A link to a picture of someone's own: it is not here.
        host.set({ photo: "china" });
      } else if (changed) schedule();
      else if (photo && results.length) { placeMarks(); read(); }
    }

    /* Whether nothing has to be computed anew. */
    function onlyMarks(before, next) {
      const marks = ["split", "pixel"];
      return Object.keys(next).every((key) => marks.includes(key) || explorer.state.same(before[key], next[key]));
    }

    return { element, update, stop: () => source.stop(), results: () => results, pixels: () => photo };
  }

  const PRESETS = Object.fromEntries(
    ["identity", "box", "gaussian_blur", ...Object.keys(pictures.TABLES)].map((name) => [name, name]));

  function code(state) {
    const { pair, literal, call } = explorer.code;
    const grey = state.colour === "grey";
    const name = state.photo === "own" ? "china" : state.photo;
    const size = state.kernel_size;
    const weights = kernels(state)[state.filter];
    const rows = range(size).map((row) =>
      `    [${weights.slice(row * size, (row + 1) * size).map(literal).join(", ")}],`);
    const options = [];
    if (state.strides > 1) options.push(`strides=${state.strides}`);
    if (state.padding !== "valid") options.push(`padding="${state.padding}"`);
    if (state.dilation_rate > 1) options.push(`dilation_rate=${state.dilation_rate}`);
    if (!grey) options.push("groups=3");
    const head = [
      "from convlab.datasets import load_photo", "",
      ...(state.photo === "own" ? ["# put your own picture here: numbers from 0 to 1"] : []),
      grey ? `x = load_photo("${name}", grey=True)[None, :, :, None]` : `x = load_photo("${name}")[None] / 255`,
      "kernel = np.array([", ...rows, `])[:, :, None, None]${grey ? "" : ".repeat(3, axis=3)  # one filter a channel"}`,
    ];
    const act = state.activation;
    const bias = state.bias === 0 ? [] : [`np.full(${grey ? 1 : 3}, ${literal(state.bias)})`];
    const convlab = [
      "import numpy as np", "from convlab import activations, conv2d", ...head,
      call("conv2d", ["x", "kernel", ...bias, ...options], "y = "),
      ...(act === "linear" ? [] : [`y = activations.${act}(y)`]),
      "print(y.shape)",
    ];
    const keras = [
      "import keras", "import numpy as np", ...head,
      call("keras.layers.Conv2D", [
        grey ? 1 : 3, pair([size, size]), ...options, ...(act === "linear" ? [] : [`activation="${act}"`]),
        ...(state.bias === 0 ? ["use_bias=False"] : []),
      ], "layer = "),
      "layer.build(x.shape)",
      `layer.set_weights([kernel${bias.length ? `, ${bias[0]}` : ""}])`,
      'y = layer(x.astype("float32"))',
      "print(y.shape)",
    ];
    return { keras: keras.join("\n"), convlab: convlab.join("\n") };
  }

  /* The reader's own numbers, for the views that slide one kernel over one channel. */
  function carried(state) {
    const kernel = kernels(state)[state.filter];
    return { kernel, kernel_size: [state.kernel_size, state.kernel_size], channels: 1, filters: 1, groups: 1 };
  }

  explorer.photo = { kernels };
  explorer.views = explorer.views || {};
  explorer.views.photo = {
    title: "Photo", settle, create, code,
    linkNote: (state) => (state.photo === OWN ? " Your own photo stays here: the link opens with another one." : ""),
    carry: (state, to) => (to === "sweep" && state.kernels[state.filter] === OWN ? carried(state) : {}),
  };
})((window.convlabExplorer = window.convlabExplorer || {}));
