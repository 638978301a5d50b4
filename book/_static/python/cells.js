/* A code cell of the page: its buttons, its editor, its output. */
(function () {
  "use strict";

  const { Outputs, element } = window.PythonInPage;
  // CodeMirror's names for the parts of Python, and the book's own colours for them.
  const COLOURS = {
    keyword: "k",
    controlKeyword: "k",
    definitionKeyword: "k",
    moduleKeyword: "kn",
    operatorKeyword: "ow",
    operator: "o",
    string: "s1",
    docString: "sd",
    number: "mi",
    bool: "kc",
    null: "kc",
    comment: "c1",
    className: "nc",
    self: "bp",
    meta: "nd",
    punctuation: "p",
  };

  const SLOW = 10; // seconds after which a reader may wonder

  const DOTS = "..."; // what an exercise has where an answer belongs

  let asked = null;

  /* The editor is fetched when the first cell is opened. */
  function editorFiles(address) {
    asked ??= new Promise((resolve, reject) => {
      const script = element("script");
      script.src = address;
      script.onload = () => resolve(window.CodeMirrorForPages);
      script.onerror = () => reject(new Error("The editor could not be loaded."));
      document.head.append(script);
    });
    return asked;
  }

  function highlighter({ tagHighlighter, tags }) {
    const single = Object.entries(COLOURS).map(([name, colour]) => ({ tag: tags[name], class: colour }));
    const defined = [tags.function(tags.definition(tags.variableName)), tags.function(tags.variableName)];
    return tagHighlighter([...single, { tag: defined[0], class: "nf" }]);
  }

  /* Program text in the book's colours. */
  function coloured(code) {
    const fragment = document.createDocumentFragment();
    const modes = window.CodeMirrorForPages;
    if (!modes) {
      fragment.append(code);
      return fragment;
    }
    let end = 0;
    const paint = (from, to, classes) => {
      fragment.append(code.slice(end, from), element("span", classes, code.slice(from, to)));
      end = to;
    };
    modes.highlightTree(modes.pythonLanguage.parser.parse(code), highlighter(modes), paint);
    fragment.append(code.slice(end));
    return fragment;
  }

  function button(text, title, act) {
    const made = element("button", "py-button", text);
    made.type = "button";
    made.title = title;
    made.addEventListener("click", act);
    return made;
  }

  /* How long a cell has run, and why it may take that long. */
  function running(seconds) {
    const why = seconds < SLOW ? "" : ", in a page several times as long as on your own computer";
    return `Running, ${seconds} s${why}`;
  }

  class Cell {
    /* `page` answers to run(cell), runAbove(cell), changed(), complete(text) and has `options`. */
    constructor(root, index, page) {
      Object.assign(this, { root, index, page, number: index + 1, id: root.id.replace(/^cell-/, "") });
      this.label = `Cell ${this.number}`;
      this.input = root.querySelector(".cell_input");
      this.pre = this.input.querySelector("pre");
      this.original = this.pre.textContent.replace(/\n$/, "");
      this.source = this.original;
      this.markup = [...this.pre.childNodes];
      this.addButtons();
      this.findOutput();
      this.pre.addEventListener("click", (event) => this.openAt(event));
    }

    get changed() {
      return this.source !== this.original;
    }

    addButtons() {
      const bar = element("div", "py-tools");
      bar.setAttribute("role", "group");
      bar.setAttribute("aria-label", this.label);
      this.runButton = button("Run", "Run this cell in the page (Shift+Enter)", () => this.page.run(this));
      this.runButton.classList.add("py-run");
      this.editButton = button("Edit", "Change this cell's code", () => this.open());
      this.aboveButton = button("Run all above", "Run every cell above, in order", () => this.page.runAbove(this));
      this.resetButton = button("Reset", "Take back your changes and your output", () => this.reset());
      this.aboveButton.hidden = this.resetButton.hidden = true;
      this.state = element("span", "py-state");
      bar.append(this.runButton, this.editButton, this.aboveButton, this.resetButton, this.state);
      this.input.append(bar);
    }

    findOutput() {
      this.output = this.root.querySelector(".cell_output");
      this.printed = this.output ? [...this.output.childNodes] : [];
      this.alts = this.output ? [...this.output.querySelectorAll("img")].map((one) => one.alt) : [];
      if (this.output) return;
      this.output = element("div", "cell_output docutils container");
      this.output.hidden = true;
      this.input.after(this.output);
    }

    /* Open the editor where the reader clicked, unless the click ends a selection. */
    openAt({ clientX: x, clientY: y }) {
      if (!String(window.getSelection())) this.open((view) => view.posAtCoords({ x, y }));
    }

    /* `place` gives the place of the cursor in an editor. */
    async open(place = () => null) {
      if (!this.view) {
        const modes = await editorFiles(this.page.options.editor);
        this.view ??= this.edit(modes);
        this.view.dispatch({ selection: this.marked(place(this.view)) });
        if (!this.state.textContent) this.say("Shift+Enter runs it, Escape leaves the editor");
      }
      this.view.focus();
    }

    /* The dots that wait for an answer are marked, so that typing replaces them. */
    marked(at) {
      const dots = this.source.indexOf(DOTS);
      const end = dots + DOTS.length;
      const here = at === null || (dots <= at && at <= end);
      return dots >= 0 && here ? { anchor: dots, head: end } : { anchor: at ?? 0 };
    }

    edit(modes) {
      const place = element("div", "py-editor");
      this.pre.after(place);
      this.pre.hidden = true;
      this.editButton.hidden = true;
      const state = modes.EditorState.create({ doc: this.source, extensions: this.extensions(modes) });
      return new modes.EditorView({ state, parent: place });
    }

    extensions(modes) {
      const { EditorView, EditorState, keymap } = modes;
      return [
        keymap.of(this.keys(modes)),
        modes.history(),
        modes.python(),
        modes.indentUnit.of("    "),
        EditorState.tabSize.of(4),
        modes.indentOnInput(),
        modes.bracketMatching(),
        modes.closeBrackets(),
        modes.syntaxHighlighting(highlighter(modes)),
        modes.autocompletion({ override: [(context) => this.suggest(context)], icons: false }),
        EditorView.contentAttributes.of({
          "aria-label": `Code of cell ${this.number}`,
          "aria-describedby": "py-help",
          spellcheck: "false",
          tabindex: "0",
        }),
        EditorView.updateListener.of((update) => update.docChanged && this.take(update.state.doc.toString())),
      ];
    }

    keys(modes) {
      const run = () => (this.page.run(this), true);
      const indent = (view) => modes.acceptCompletion(view) || modes.indentMore(view);
      return [
        { key: "Shift-Enter", run },
        { key: "Mod-Enter", run },
        { key: "Tab", run: indent, shift: modes.indentLess },
        ...modes.closeBracketsKeymap,
        ...modes.completionKeymap,
        { key: "Escape", run: () => (this.runButton.focus(), true) },
        ...modes.historyKeymap,
        ...modes.defaultKeymap,
      ];
    }

    /* Names that the session knows: only what was run can be completed. */
    async suggest(context) {
      const word = context.matchBefore(/[A-Za-z_][\w.]*/);
      if (!word || (!context.explicit && !word.text.includes("."))) return null;
      const names = await this.page.complete(word.text);
      const from = word.from + word.text.lastIndexOf(".") + 1;
      return { from, options: names.map((label) => ({ label })), validFor: /^\w*$/ };
    }

    /* The reader's code: what the editor, or the browser's memory, says. */
    take(source) {
      this.source = source;
      this.pre.replaceChildren(...(this.changed ? [source] : this.markup));
      this.root.classList.toggle("py-changed", this.changed);
      this.resetButton.hidden = !this.changed && !this.outputs;
      this.page.changed();
    }

    reset() {
      if (this.view) {
        const changes = { from: 0, to: this.view.state.doc.length, insert: this.original };
        this.view.dispatch({ changes });
      }
      this.outputs = null;
      this.output.replaceChildren(...this.printed);
      this.output.hidden = !this.printed.length;
      this.say("");
      this.take(this.original);
    }

    /* An empty place for the output of a run. */
    begin() {
      this.outputs = new Outputs(element("div"), this.changed ? [] : [...this.alts], coloured);
      this.fresh = true;
      this.root.classList.add("py-running");
      this.resetButton.hidden = false;
      const since = Date.now();
      this.clock = setInterval(() => this.say(running(Math.round((Date.now() - since) / 1000))), 1000);
      this.say("Running");
    }

    /* The old output stays until there is a new one, so that the page does not jump. */
    hear(kind, content) {
      this.settle();
      this.outputs.add(kind, content);
    }

    settle() {
      if (!this.fresh) return;
      this.fresh = false;
      this.output.replaceChildren();
      this.outputs.place = this.output;
      this.output.hidden = false;
    }

    finish(words) {
      clearInterval(this.clock);
      this.settle();
      this.output.hidden = !this.output.hasChildNodes();
      this.root.classList.remove("py-running");
      this.say(words);
    }

    say(words) {
      this.state.textContent = words;
    }

    stopWaiting() {
      if (this.state.textContent === "Waiting") this.say("");
    }

    /* The cell as a notebook keeps it. */
    save(cell) {
      const outputs = this.outputs ? this.outputs.kept : this.changed ? [] : cell.outputs;
      return { ...cell, source: this.source, outputs, execution_count: null };
    }
  }

  Object.assign(window.PythonInPage, { Cell, button, editorFiles });
})();
