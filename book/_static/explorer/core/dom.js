/* Elements, and numbers as the book writes them. */
(function (explorer) {
  "use strict";
  const HUGE = 1e7;
  let last = 0;

  /* An element: `on` holds listeners, `data` the data attributes; null attributes are left out. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    dress(element, attributes);
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  }

  function dress(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "on") {
        for (const [event, listener] of Object.entries(value)) {
          element.addEventListener(event, listener);
        }
      } else if (name === "data") {
        Object.assign(element.dataset, value);
      } else if (value !== null && value !== undefined && value !== false) {
        element.setAttribute(name, value === true ? "" : value);
      }
    }
  }

  /* The same for a drawing. */
  function draw(tag, attributes = {}, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    dress(element, attributes);
    element.append(...children.flat());
    return element;
  }

  function unique(name) {
    last += 1;
    return `cx-${name}-${last}`;
  }

  /* A number with its power of ten, for the very large and the very small. */
  function power(value) {
    return value.toExponential(1).replace(/-/g, "−").replace("e+", "e");
  }

  /* A number with at most `digits` digits after the point, and a true minus sign. */
  function number(value, digits = 2) {
    if (!Number.isFinite(value)) return String(value).replace("-", "−");
    if (Math.abs(value) >= HUGE) return power(value);
    const rounded = Number(value.toFixed(digits));
    return (Object.is(rounded, -0) ? "0" : String(rounded)).replace("-", "−");
  }

  /* Thousands apart, as in the text of the book. */
  function count(value) {
    return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
  }

  function plural(value, word) {
    return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
  }

  /* A line of a table of facts: its name, and what is told. */
  function fact(name, text, key = name) {
    return make("p", { class: "cx-axis", data: { fact: key } },
      make("span", { class: "cx-name" }, name), make("span", { class: "cx-fact" }, text));
  }

  /* A table of facts as a screen reader hears it. */
  function spoken(facts) {
    const lines = [...facts.children].map((line) => [...line.children].map((part) => part.textContent).join(": "));
    return lines.join("; ");
  }

  explorer.dom = { make, draw, unique, number, power, count, plural, fact, spoken };
})((window.convlabExplorer = window.convlabExplorer || {}));
