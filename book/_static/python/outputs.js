/* What a cell shows, as elements of the page; the classes are those of the built book. */
(function () {
  "use strict";

  const ORDER = [
    "text/html",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/markdown",
    "text/latex",
    "text/plain",
  ];

  function element(tag, classes, content = "") {
    const made = document.createElement(tag);
    if (classes) made.className = classes;
    if (content) made.append(content);
    return made;
  }

  function preformatted(classes, text) {
    const outer = element("div", classes);
    const inner = element("div", "highlight");
    inner.append(element("pre", "", text));
    inner.firstChild.tabIndex = 0; // a long line scrolls, with the keyboard too
    outer.append(inner);
    return outer;
  }

  /* Terminal colours say nothing here; a carriage return starts its line again. */
  function plain(text) {
    return text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, "").replace(/^.*\r(?!\n)/gm, "");
  }

  class Outputs {
    /* `alts` are the words for pictures, in order; `colour(code)` makes a coloured fragment. */
    constructor(place, alts, colour) {
      this.place = place;
      this.alts = alts;
      this.colour = colour;
      this.kept = []; // as a notebook keeps them
      this.stream = null;
    }

    clear() {
      this.place.replaceChildren();
    }

    add(kind, content) {
      if (kind === "stream") return this.print(content);
      this.stream = null;
      if (kind === "error") return this.fail(content);
      if (kind === "note") return this.place.append(element("p", "py-note", content.text));
      const result = kind === "result";
      const more = result ? { execution_count: null } : {};
      const data = { ...content };
      this.kept.push({ output_type: result ? "execute_result" : "display_data", data, metadata: {}, ...more });
      this.place.append(this.show(content));
    }

    print({ name, text }) {
      if (this.stream?.name !== name) {
        const colour = name === "stderr" ? "output stderr" : "output stream";
        const made = preformatted(`${colour} highlight-myst-ansi notranslate`, "");
        this.place.append(made);
        this.stream = { name, pre: made.querySelector("pre"), text: "" };
        this.kept.push({ output_type: "stream", name, text: "" });
      }
      this.stream.text += text;
      this.stream.pre.textContent = plain(this.stream.text);
      this.kept.at(-1).text = this.stream.text;
    }

    fail({ name, text, traceback, note }) {
      this.kept.push({ output_type: "error", ename: name, evalue: text, traceback: traceback.split("\n") });
      this.place.append(preformatted("output traceback highlight-ipythontb notranslate", traceback));
      if (note) this.place.append(element("p", "py-note", note));
    }

    show(data) {
      const type = ORDER.find((one) => one in data) || Object.keys(data)[0];
      const content = data[type];
      if (type === "text/html") return this.html(content);
      if (type === "text/markdown") return this.markdown(content);
      if (type.startsWith("image/")) return this.picture(type, content);
      if (type === "text/latex") return this.formula(content);
      return preformatted("output text_plain highlight-myst-ansi notranslate", plain(content));
    }

    html(content) {
      const made = element("div", "output text_html");
      made.innerHTML = content;
      return made;
    }

    picture(type, content) {
      const image = document.createElement("img");
      const svg = type === "image/svg+xml";
      image.src = svg ? `data:${type},${encodeURIComponent(content)}` : `data:${type};base64,${content}`;
      image.alt = this.alts.shift() || "A figure drawn by this cell.";
      return image;
    }

    formula(content) {
      const made = element("div", "output text_latex math notranslate nohighlight", content);
      window.MathJax?.typesetPromise?.([made]);
      return made;
    }

    /* The Markdown that solutions are shown in: fences of code, and paragraphs between them. */
    markdown(content) {
      const made = element("div", "output text_markdown");
      content.split(/^```\w*\n([\s\S]*?)\n?```$/m).forEach((part, index) => {
        if (index % 2) {
          const code = preformatted("highlight-python notranslate", "");
          code.querySelector("pre").append(this.colour(part));
          made.append(code);
        } else if (part.trim()) made.append(element("p", "", part.trim()));
      });
      return made;
    }
  }

  Object.assign(window.PythonInPage, { Outputs, element });
})();
