/* The view Weights: a path on a surface of two weights, under a penalty and a constraint. */
(function (explorer) {
  "use strict";
  const { make, number, fact } = explorer.dom;
  const { range } = explorer.sizes;
  const { descent } = explorer;
  const REACH = 3;  // weights from −3 to 3
  const LEVELS = [0.05, 0.2, 0.5, 1, 2, 3.5, 5.5, 8, 12, 17, 23];

  /* The bounds stay in order, and who adds a step sees it. */
  function settle(state, before) {
    const least = Math.min(state.min_value, state.max_value);
    const last = before && state.steps !== before.steps && before.step === before.steps;
    return { ...state, min_value: least, step: last ? state.steps : Math.min(state.step, state.steps) };
  }

  function create(host) {
    let state = null;
    let held = null;
    const plot = explorer.plot.create("two weights on a loss surface");
    const facts = make("div", { class: "cx-facts" });
    const legend = make("ul", { class: "cx-legend" });
    const panels = [
      explorer.controls.panel("weights", ["regularizer", "strength", "constraint", "max_value", "min_value", "rate"], host.set),
      explorer.controls.panel("weights", ["learning_rate", "steps", "step", "stretch", "turn"], host.set),
      explorer.controls.panel("weights", ["w0", "w1", "a0", "a1"], host.set),
    ];
    panels[2].element.classList.add("cx-short");
    const element = make("div", { class: "cx-view cx-dial cx-weights" },
      make("div", { class: "cx-beside" }, plot.element, make("div", { class: "cx-told-beside" }, facts, legend)),
      make("div", { class: "cx-panels" }, panels.map((panel) => panel.element)));
    plot.element.addEventListener("pointerdown", grab);
    plot.element.addEventListener("pointermove", drag);
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
      plot.element.addEventListener(end, () => { held = null; });
    }

    /* Start and minimum can be dragged. */
    function grab(event) {
      const at = plot.numbersAt(event);
      const far = (place) => Math.hypot(place[0] - at[0], place[1] - at[1]);
      const start = far([state.w0, state.w1]);
      const minimum = far([state.a0, state.a1]);
      if (Math.min(start, minimum) < 0.45) held = start <= minimum ? ["w0", "w1"] : ["a0", "a1"];
      drag(event);
    }

    function drag(event) {
      if (!held) return;
      event.preventDefault();
      const kept = plot.numbersAt(event).map((one) =>
        Number(explorer.state.within(one, { least: -REACH, most: REACH }).toFixed(1)));
      host.set({ [held[0]]: kept[0], [held[1]]: kept[1] });
    }

    function modelState() {
      return { ...state, start: [state.w0, state.w1], minimum: [state.a0, state.a1] };
    }

    function paint(found) {
      const side = Math.min(host.width(), 400);
      const scale = plot.begin({ width: side, height: side - 14, x: [-REACH, REACH], y: [-REACH, REACH], xName: "w₀", yName: "w₁" });
      paintAllowed(scale);
      paintBowl(scale);
      paintPenalty(found);
      const without = descent.path({ ...modelState(), regularizer: "none", constraint: "none" });
      if (state.regularizer !== "none" || state.constraint !== "none") plot.line("cx-free", without.places);
      found.free.slice(0, state.step).forEach((moved, at) => {
        if (state.constraint === "none") return;
        plot.line("cx-pull", [found.places[at], moved]);
        plot.line("cx-project", [moved, found.places[at + 1]]);
      });
      plot.line("cx-way", found.places.slice(0, state.step + 1));
      found.places.slice(0, state.step + 1).forEach((w) => plot.dot("cx-point", w[0], w[1], 2.5));
      plot.dot("cx-minimum", state.a0, state.a1, 7);
      plot.dot("cx-start", state.w0, state.w1, 7);
      plot.dot("cx-mark", ...found.places[state.step], 6);
    }

    /* Where a constraint lets the weights be. */
    function paintAllowed(scale) {
      const one = Math.abs(scale.x(1) - scale.x(0));
      const ring = (name, radius) => plot.put("ellipse", name, {
        cx: scale.x(0), cy: scale.y(0), rx: radius * one, ry: radius * Math.abs(scale.y(1) - scale.y(0)),
      });
      if (state.constraint === "NonNeg") {
        plot.put("rect", "cx-allowed", {
          x: scale.x(0), y: scale.y(REACH), width: scale.x(REACH) - scale.x(0), height: scale.y(0) - scale.y(REACH),
        });
      } else if (state.constraint === "MaxNorm") ring("cx-allowed", state.max_value);
      else if (state.constraint === "UnitNorm") ring("cx-allowed cx-border", 1);
      else if (state.constraint === "MinMaxNorm") {
        ring("cx-allowed", state.max_value);
        ring("cx-hole", state.min_value);
      }
    }

    /* Lines of equal loss: ellipses around the minimum. */
    function paintBowl(scale) {
      const { angle } = descent.bowl(modelState());
      for (const level of LEVELS) {
        const [long, short] = [Math.sqrt(2 * level), Math.sqrt((2 * level) / state.stretch)];
        const points = range(73).map((at) => {
          const way = (at * Math.PI) / 36;
          const [x, y] = [long * Math.cos(way), short * Math.sin(way)];
          return [
            state.a0 + x * Math.cos(angle) - y * Math.sin(angle),
            state.a1 + x * Math.sin(angle) + y * Math.cos(angle),
          ];
        });
        plot.line("cx-level", points);
      }
      return scale;
    }

    /* The line of equal penalty through the place where the weights stand. */
    function paintPenalty(found) {
      if (state.regularizer === "none" || state.strength === 0) return;
      const here = found.places[state.step];
      const charge = found.penalty(here);
      if (!(charge > 0)) return;
      const points = range(181).map((at) => {
        const way = (at * Math.PI) / 90;
        const ray = [Math.cos(way), Math.sin(way)];
        return ray.map((one) => one * lengthOf(found.penalty, ray, charge));
      });
      plot.line("cx-penalty", points);
    }

    /* How far along a ray the penalty reaches a charge: it grows, so halving finds it. */
    function lengthOf(penalty, ray, charge) {
      let [low, high] = [0, 10];
      for (let turn = 0; turn < 40; turn += 1) {
        const middle = (low + high) / 2;
        if (penalty(ray.map((one) => one * middle)) < charge) low = middle;
        else high = middle;
      }
      return low;
    }

    function showFacts(found) {
      const w = found.places[state.step];
      const entries = [
        ["weights", `(${number(w[0], 3)}, ${number(w[1], 3)}), norm ${number(descent.norm(w), 3)}`],
        ["loss", number(found.loss(w), 4)],
        ["penalty", number(found.penalty(w), 4)],
        ["step", `${state.step} of ${state.steps}`],
      ];
      facts.replaceChildren(...entries.map(([name, text]) => fact(name, text)));
      const keys = [["cx-key-start", "start: drag it"], ["cx-key-minimum", "least loss: drag it"], ["cx-key-way", "the path"]];
      if (state.regularizer !== "none" || state.constraint !== "none") keys.push(["cx-key-free", "the path without them"]);
      if (state.regularizer !== "none") keys.push(["cx-key-penalty", "equal penalty"]);
      if (state.constraint !== "none") keys.push(["cx-key-allowed", "allowed"]);
      legend.replaceChildren(...keys.map(([name, text]) => make("li", {}, make("span", { class: `cx-key ${name}` }), text)));
    }

    function update(next, before) {
      state = next;
      panels.forEach((panel) => panel.show(state));
      panels[1].part("step").element.querySelector("input").max = state.steps;
      panels[1].part("step").show(state.step);
      const bounded = { max_value: ["MaxNorm", "MinMaxNorm"], min_value: ["MinMaxNorm"], rate: ["MinMaxNorm"] };
      for (const [name, rules] of Object.entries(bounded)) {
        panels[0].part(name).element.toggleAttribute("hidden", !rules.includes(state.constraint));
      }
      panels[0].part("strength").element.toggleAttribute("hidden", state.regularizer === "none");
      const found = descent.path(modelState());
      paint(found);
      showFacts(found);
      plot.element.setAttribute("aria-label",
        `The path of two weights on a loss surface, from (${number(state.w0)}, ${number(state.w1)}) in ${state.step} steps to (${found.places[state.step].map((one) => number(one)).join(", ")}).`);
      if (before) host.announce(explorer.dom.spoken(facts));
    }

    return { element, update };
  }

  function code(state) {
    const { literal } = explorer.code;
    const rule = ruleOf(state);
    const penalty = penaltyOf(state);
    const turn = literal(state.turn);
    const bowl = [
      `angle = np.deg2rad(${turn})`,
      "axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])",
      `curvature = axes @ np.diag([1.0, ${literal(state.stretch)}]) @ axes.T`,
      `minimum = np.array([${literal(state.a0)}, ${literal(state.a1)}])`,
    ];
    const imports = ["constraints", "optimizers", "regularizers"]
      .filter((name) => name === "optimizers" || (name === "constraints" ? rule : penalty)).join(", ");
    const convlab = [
      "import numpy as np", `from convlab import Variable, ${imports}`, "", ...bowl,
      `w = Variable(np.array([${literal(state.w0)}, ${literal(state.w1)}], float)${rule ? `, constraint=constraints.${rule}` : ""})`,
      ...(penalty ? [`penalty = regularizers.${penalty}`] : []),
      `sgd = optimizers.SGD(${explorer.code.literal(state.learning_rate)})`,
      `for step in range(${state.step}):`,
      "    gradient = curvature @ (w.numpy() - minimum)",
      ...(penalty ? ["    gradient = gradient + penalty.gradient(w.numpy())"] : []),
      "    sgd.apply([gradient], [w])",
      "print(w.numpy())",
    ];
    const keras = [
      "import keras", "",
      explorer.code.call("keras.layers.Conv2D", [
        "8", "3",
        ...(penalty ? [`kernel_regularizer=keras.regularizers.${penalty}`] : []),
        ...(rule ? [`kernel_constraint=keras.constraints.${rule}`] : []),
      ], "layer = "),
    ];
    return { keras: keras.join("\n"), convlab: convlab.join("\n") };
  }

  function penaltyOf({ regularizer, strength }) {
    const one = explorer.code.literal(strength);
    return { none: null, L1: `L1(${one})`, L2: `L2(${one})`, L1L2: `L1L2(${one}, ${one})` }[regularizer];
  }

  function ruleOf(state) {
    const { literal } = explorer.code;
    return {
      none: null, NonNeg: "NonNeg()", UnitNorm: "UnitNorm()", MaxNorm: `MaxNorm(${literal(state.max_value)})`,
      MinMaxNorm: `MinMaxNorm(${literal(state.min_value)}, ${literal(state.max_value)}, rate=${literal(state.rate)})`,
    }[state.constraint];
  }

  explorer.views = explorer.views || {};
  explorer.views.weights = { title: "Weights", settle, create, code };
})((window.convlabExplorer = window.convlabExplorer || {}));
