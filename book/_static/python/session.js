/* One Python session: starts the worker, hands it work in order, stops it. */
(function () {
  "use strict";

  const BUSY = ["loading", "running"];

  class Session {
    /* `tell(event, detail)` hears of "state", "progress", "loading" and "restart". */
    constructor(options, tell) {
      this.options = options;
      this.tell = tell;
      this.forget();
    }

    forget() {
      this.worker = null;
      this.starting = null;
      this.waiting = new Map();
      this.done = new Set(); // the cells that have run, by their place in the page
      this.number = 0;
    }

    get busy() {
      return BUSY.includes(this.state);
    }

    become(state, detail) {
      this.state = state;
      this.tell("state", { state, ...detail });
    }

    start() {
      this.starting ??= this.open();
      return this.starting;
    }

    async open() {
      this.become("loading");
      const since = performance.now();
      try {
        this.worker = new Worker(this.options.worker, { type: "module" });
        this.worker.onmessage = ({ data }) => this.hear(data);
        this.worker.onerror = (event) => this.lose(event.message || "The worker did not start.");
        const version = await this.ask("start", { ...this.options, interrupt: this.interruptible() });
        this.become("ready", { version, seconds: (performance.now() - since) / 1000 });
      } catch (error) {
        if (error.name !== "Stopped") this.fail(error);
        throw error;
      }
    }

    /* Shared memory stops a cell and keeps what others defined; few servers allow it. */
    interruptible() {
      this.flag = self.crossOriginIsolated ? new Uint8Array(new SharedArrayBuffer(1)) : null;
      return this.flag;
    }

    ask(task, detail, hear) {
      const number = ++this.number;
      return new Promise((resolve, reject) => {
        this.waiting.set(number, { resolve, reject, hear });
        this.worker.postMessage({ ...detail, task, number });
      });
    }

    hear(data) {
      if (data.progress) this.tell("progress", data.progress);
      if (data.loading) this.tell("loading", data.loading);
      if (data.output) this.waiting.get(data.output)?.hear?.(data.kind, data.content);
      if (!data.reply) return;
      const waiting = this.waiting.get(data.reply);
      this.waiting.delete(data.reply);
      if (data.error) waiting.reject(new Error(data.error));
      else waiting.resolve(data.result);
    }

    /* Run one cell; true if it came to its end. */
    async run(index, label, source, hear) {
      await this.start();
      this.become("running", { label });
      try {
        const ended = await this.ask("run", { label, source }, hear);
        if (ended) this.done.add(index);
        this.become("ready");
        return ended;
      } catch (error) {
        if (error.name !== "Stopped") this.fail(error);
        throw error;
      }
    }

    async needed(sources, wanted) {
      await this.start();
      return this.ask("needed", { sources, wanted, done: [...this.done] });
    }

    complete(text) {
      return this.state === "ready" ? this.ask("complete", { text }) : Promise.resolve([]);
    }

    lose(message) {
      const error = new Error(message);
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
    }

    fail(error) {
      this.end(error);
      this.become("failed", { message: error.message });
    }

    end(error) {
      this.worker?.terminate();
      const waiting = [...this.waiting.values()];
      this.forget();
      for (const { reject } of waiting) reject(error);
    }

    /* End what runs: gently where memory is shared, else with the whole session. */
    stop() {
      if (this.state === "running" && this.flag) {
        this.flag[0] = 2; // SIGINT
        const asked = this.number;
        setTimeout(() => this.waiting.has(asked) && this.restart(), 2000);
      } else if (this.busy) this.restart();
    }

    restart() {
      const was = this.state;
      this.end(Object.assign(new Error("Stopped."), { name: "Stopped" }));
      this.become("off");
      if (was !== "loading") {
        this.tell("restart");
        this.start().catch(() => {});
      }
    }
  }

  window.PythonInPage = { Session };
})();
