/* Python in the page: every cell can be changed and run. Nothing loads until the reader asks. */
(function () {
  "use strict";

  const { Session, Cell, button, element, editorFiles } = window.PythonInPage;
  const FROM_A_FILE =
    "A page opened from a file cannot run Python. Read the book from a web server: `make book` starts one.";
  const MEGABYTE = 1e6;

  class Page {
    constructor(options) {
      const base = document.baseURI;
      const absolute = (address) => new URL(address, base).href;
      this.options = { ...options, editor: absolute(options.editor), worker: absolute(options.worker) };
      this.options.wheel = absolute(options.wheel);
      this.options.files = absolute(options.files);
      this.options.modules = options.modules.map(absolute);
      this.notebook = absolute(options.notebook);
      this.session = new Session(this.options, (event, detail) => this[event](detail));
      this.queue = Promise.resolve();
      this.round = 0; // grows with every stop: what waited before one is not run
      this.addHelp();
      this.addBar();
      const roots = [...document.querySelectorAll(".bd-article div.cell[id^='cell-']:has(.cell_input)")];
      this.cells = roots.map((root, index) => new Cell(root, index, this));
      this.recall();
    }

    /* --- the bar at the foot of the window, once there is something to say --- */

    addHelp() {
      const help = element("p", "py-hidden", "Shift+Enter runs the cell. Escape leaves the editor.");
      help.id = "py-help";
      document.querySelector(".bd-article").append(help);
    }

    addBar() {
      this.bar = element("section", "py-bar");
      this.bar.setAttribute("aria-label", "Python in this page");
      this.bar.hidden = true;
      this.words = element("p", "py-words");
      this.words.setAttribute("role", "status");
      this.meter = element("progress", "py-meter");
      this.meter.setAttribute("aria-label", "Loaded");
      this.amount = element("span", "py-amount");
      this.about = element("p", "py-about");
      this.stopButton = button("Stop", "Stop what is running", () => this.stop());
      this.allButton = button("Run all", "Run every cell of this page", () => this.runMany(this.cells));
      this.againButton = button("Restart", "Start Python afresh: names are forgotten", () => this.restartNow());
      this.exportButton = button("Export", "Save the page with your code as a notebook", () => this.export());
      this.resetButton = button("Reset all", "Take back all your changes on this page", () => this.reset());
      const tools = element("div", "py-tools");
      tools.append(this.stopButton, this.allButton, this.againButton, this.exportButton, this.resetButton);
      this.bar.append(this.words, this.meter, this.amount, this.about, tools);
      document.querySelector(".bd-main, main").append(this.bar);
    }

    say(words) {
      this.bar.hidden = false;
      document.documentElement.classList.add("py-with-bar");
      this.words.textContent = words;
    }

    /* --- what the session tells --- */

    state({ state, label, version, seconds, message }) {
      const loading = state === "loading";
      this.meter.hidden = this.amount.hidden = !loading;
      this.about.hidden = loading;
      this.stopButton.hidden = !this.session.busy;
      this.allButton.hidden = this.againButton.hidden = this.session.busy;
      for (const cell of this.cells) cell.aboveButton.hidden = cell.index === 0;
      if (loading) this.say(this.stopped || "Loading Python, NumPy and Matplotlib");
      if (state === "running") this.say(`${label} is running`);
      if (state === "off") this.say("Stopped.");
      if (state === "failed") this.say(`Python could not go on: ${message.replace(/\.?$/, ".")} Run a cell to try again.`);
      if (state === "ready" && version) this.ready(version, seconds);
    }

    ready(version, seconds) {
      const again = this.stopped ? `${this.stopped} ` : "";
      this.stopped = "";
      this.say(`${again}Python is ready (${seconds.toFixed(1)} s).`);
      this.about.textContent = `Python ${version} without Numba: convlab uses its vectorized kernels.`;
    }

    progress({ loaded, total }) {
      const part = Math.min(loaded, total);
      this.meter.max = total;
      this.meter.value = part;
      const done = part >= total;
      const figures = `${(part / MEGABYTE).toFixed(1)} of ${(total / MEGABYTE).toFixed(1)} MB`;
      this.amount.textContent = done ? "all loaded, starting" : figures;
    }

    loading(message) {
      this.say(message);
    }

    restart() {
      this.stopped = "Python starts afresh: what the cells had defined is gone.";
    }

    /* --- running --- */

    /* Work waits for its turn: two clicks are two runs, one after the other. */
    turn(cells, work) {
      if (location.protocol === "file:") return this.say(FROM_A_FILE);
      const round = this.round;
      for (const cell of cells) cell.say("Waiting");
      this.queue = this.queue
        .then(() => round === this.round && work())
        .catch((error) => error.name !== "Stopped" && console.warn(error))
        .then(() => cells.forEach((cell) => cell.stopWaiting()));
      return this.queue;
    }

    stop() {
      this.round += 1;
      this.session.stop();
    }

    restartNow() {
      this.round += 1;
      this.session.restart();
    }

    run(cell) {
      return this.turn([cell], async () => {
        editorFiles(this.options.editor).catch(() => {}); // it colours solutions, too
        const sources = this.cells.map((one) => one.source);
        const above = await this.session.needed(sources, cell.index);
        const first = above.map((index) => this.cells[index]);
        if (await this.runEach(first, cell)) await this.runOne(cell, first);
      });
    }

    runAbove(cell) {
      return this.runMany(this.cells.slice(0, cell.index));
    }

    runMany(cells) {
      return this.turn(cells, () => this.runEach(cells));
    }

    async runEach(cells, wanted) {
      for (const cell of cells) {
        if (await this.runOne(cell)) continue;
        wanted?.say(`${cell.label}, which this one needs, stopped with an error.`);
        return false;
      }
      return true;
    }

    async runOne(cell, first = []) {
      cell.begin();
      const since = performance.now();
      let ended = false;
      try {
        ended = await this.session.run(cell.index, cell.label, cell.source, (...heard) => cell.hear(...heard));
      } catch (error) {
        cell.finish(error.name === "Stopped" ? "Stopped" : error.message);
        throw error;
      }
      const seconds = ((performance.now() - since) / 1000).toFixed(2);
      cell.finish(`${ended ? "Done" : "Stopped with an error"} in ${seconds} s${after(first)}`);
      this.say(`${cell.label}: ${ended ? "done" : "stopped with an error"}.`);
      return ended;
    }

    complete(text) {
      return this.session.complete(text);
    }

    /* --- the reader's code --- */

    get key() {
      return `python-in-page:${this.options.page}`;
    }

    recall() {
      this.recalling = true;
      try {
        const saved = JSON.parse(localStorage.getItem(this.key) || "{}");
        for (const cell of this.cells) if (saved[cell.id]) cell.take(saved[cell.id]);
      } catch {
        // no memory here, or not ours: the page stays as it was written
      }
      this.recalling = false;
      if (this.cells.some((cell) => cell.changed)) this.say("Your code from your last visit is here.");
      this.offer();
    }

    changed() {
      if (this.recalling) return;
      const pairs = this.cells.filter((cell) => cell.changed).map((cell) => [cell.id, cell.source]);
      try {
        if (pairs.length) localStorage.setItem(this.key, JSON.stringify(Object.fromEntries(pairs)));
        else localStorage.removeItem(this.key);
      } catch {
        this.say("This browser keeps nothing: export your code before you leave.");
      }
      this.offer();
    }

    offer() {
      this.resetButton.hidden = !this.cells.some((cell) => cell.changed);
    }

    reset() {
      for (const cell of this.cells) cell.reset();
      this.say("The page is as it was written.");
    }

    async export() {
      const notebook = await (await fetch(this.notebook)).json();
      const mine = new Map(this.cells.map((cell) => [cell.id, cell]));
      notebook.cells = notebook.cells.map((cell) => mine.get(cell.id)?.save(cell) ?? cell);
      const link = element("a");
      link.href = URL.createObjectURL(new Blob([JSON.stringify(notebook, null, 1)], { type: "application/x-ipynb+json" }));
      link.download = this.notebook.split("/").pop();
      link.click();
      URL.revokeObjectURL(link.href);
      this.say(`Saved as ${link.download}.`);
    }
  }

  /* Which cells ran first, in words. */
  function after(cells) {
    if (!cells.length) return "";
    const numbers = cells.map((cell) => cell.number);
    const last = numbers.pop();
    const list = numbers.length ? `cells ${numbers.join(", ")} and ${last}` : `cell ${last}`;
    return `, after ${list}, which it needs`;
  }

  const options = document.getElementById("python-in-page");
  if (options) window.PythonInPage.page = new Page(JSON.parse(options.textContent));
})();
