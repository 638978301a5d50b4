/* Axes to draw on: a window of numbers onto a window of pixels. */
(function (explorer) {
  "use strict";
  const { draw, number } = explorer.dom;
  const FAR = 1e5;  // pixels
  const MARGIN = { left: 40, right: 18, top: 10, bottom: 30 };

  /* About `wanted` round numbers between two. */
  function ticks(from, to, wanted) {
    const rough = (to - from) / wanted;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough) || power;
    const first = Math.ceil(from / step - 1e-9);
    const last = Math.floor(to / step + 1e-9);
    return explorer.sizes.range(last - first + 1).map((at) => (first + at) * step);
  }

  function create(name) {
    const svg = draw("svg", { class: "cx-plot", role: "img", "aria-label": name });
    const clip = explorer.dom.unique("clip");
    let scale = null;

    /* Begin anew: `x` and `y` are [from, to]. */
    function begin({ width, height, x, y, xName, yName, marks = (value) => number(value, 3), yTicks }) {
      const inner = {
        left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom,
      };
      scale = {
        x: (value) => inner.left + ((value - x[0]) / (x[1] - x[0])) * (inner.right - inner.left),
        y: (value) => inner.bottom - ((value - y[0]) / (y[1] - y[0])) * (inner.bottom - inner.top),
        fromX: (pixel) => x[0] + ((pixel - inner.left) / (inner.right - inner.left)) * (x[1] - x[0]),
        fromY: (pixel) => y[0] + ((inner.bottom - pixel) / (inner.bottom - inner.top)) * (y[1] - y[0]),
        inner,
      };
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      svg.setAttribute("width", width);
      svg.setAttribute("height", height);
      const area = draw("clipPath", { id: clip }, draw("rect", {
        x: inner.left, y: inner.top, width: inner.right - inner.left, height: inner.bottom - inner.top,
      }));
      const xs = ticks(x[0], x[1], Math.max(3, width / 90));
      const ys = yTicks || ticks(y[0], y[1], Math.max(3, height / 60));
      svg.replaceChildren(area,
        ...xs.map((at) => grid("x", scale.x(at), at, x)), ...ys.map((at) => grid("y", scale.y(at), at, y)),
        ...xs.map((at) => text("cx-tick", scale.x(at), inner.bottom + 14, number(at, 3), "middle")),
        ...ys.map((at) => text("cx-tick", inner.left - 6, scale.y(at) + 4, marks(at), "end")),
        text("cx-axis-name", inner.right, height - 3, xName || "", "end"),
        text("cx-axis-name", inner.left + 4, inner.top + 10, yName || "", "start"));
      return scale;
    }

    function grid(side, at, value) {
      const { inner } = scale;
      const along = side === "x"
        ? { x1: at, x2: at, y1: inner.top, y2: inner.bottom } : { x1: inner.left, x2: inner.right, y1: at, y2: at };
      return draw("line", { class: Math.abs(value) < 1e-12 ? "cx-zero" : "cx-rule", ...along });
    }

    function text(name, x, y, content, anchor) {
      return draw("text", { class: name, x, y, "text-anchor": anchor }, content);
    }

    function put(tag, name, attributes, content = []) {
      const element = draw(tag, { class: name, ...attributes }, content);
      element.setAttribute("clip-path", `url(#${clip})`);
      svg.append(element);
      return element;
    }

    /* A line through points, as numbers; where a number is missing the line breaks. */
    function line(name, points) {
      let isOpen = false;
      const d = points.map(([x, y]) => {
        if (!Number.isFinite(y)) { isOpen = false; return ""; }
        const step = isOpen ? "L" : "M";
        isOpen = true;
        return `${step}${near(scale.x(x))} ${near(scale.y(y))}`;
      }).join("");
      return put("path", name, { d });
    }

    /* A path may leave the plot, but not for where no drawing reaches. */
    function near(pixel) {
      return Math.max(-FAR, Math.min(pixel, FAR)).toFixed(2);
    }

    /* A dot is never cut: it is there whole, or not at all. */
    function dot(name, x, y, radius = 5) {
      const { left, right, top, bottom } = scale.inner;
      const [cx, cy] = [scale.x(x), scale.y(y)];
      if (cx < left - 1 || cx > right + 1 || cy < top - 1 || cy > bottom + 1) return;
      svg.append(draw("circle", { class: name, cx, cy, r: radius }));
    }

    function label(name, x, y, content, anchor = "start") {
      svg.append(text(name, scale.x(x), scale.y(y), content, anchor));
    }

    /* The numbers under the pointer. */
    function numbersAt(event) {
      const box = svg.getBoundingClientRect();
      const width = svg.viewBox.baseVal.width;
      const factor = width / box.width;
      return [scale.fromX((event.clientX - box.left) * factor), scale.fromY((event.clientY - box.top) * factor)];
    }

    return { element: svg, begin, line, dot, put, label, numbersAt, scale: () => scale };
  }

  explorer.plot = { create, ticks };
})((window.convlabExplorer = window.convlabExplorer || {}));
