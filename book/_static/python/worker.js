/* Python, in a worker of its own, so that the page stays alive whatever a cell does. */

let pyodide, kernel, needs, speaking;

const tasks = { start, run, needed, complete };

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ reply: data.number, result: await tasks[data.task](data) });
  } catch (error) {
    self.postMessage({ reply: data.number, error: String(error.message || error) });
  }
};

async function start({ files, packages, wheel, modules, bytes, interrupt }) {
  count(files, bytes);
  const parts = Promise.all([wheel, ...modules].map(download));
  const { loadPyodide } = await import(`${files}pyodide.mjs`);
  pyodide = await loadPyodide({ indexURL: files, packages });
  if (interrupt) pyodide.setInterruptBuffer(interrupt);
  const [archive, ...texts] = await parts;
  pyodide.unpackArchive(archive, "wheel");
  const names = modules.map((address) => new URL(address).pathname.split("/").pop());
  names.forEach((name, i) => pyodide.FS.writeFile(`/home/pyodide/${name}`, new Uint8Array(texts[i])));
  needs = pyodide.pyimport("needs");
  kernel = pyodide.pyimport("kernel").Kernel((kind, content) => {
    self.postMessage({ output: speaking, kind, content: JSON.parse(content) });
  });
  return pyodide.runPython("import platform; platform.python_version()");
}

async function download(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} is not there (${response.status}).`);
  return response.arrayBuffer();
}

async function run({ number, label, source }) {
  speaking = number;
  const missing = kernel.missing(source).toJs();
  if (missing.length) await load(missing);
  return kernel.run(label, source);
}

/* Packages of Pyodide's that a cell imports; one that is not served is an error in the cell. */
async function load(names) {
  const messageCallback = (words) => self.postMessage({ loading: words });
  const imports = names.map((name) => `import ${name}`).join("\n");
  const quiet = { messageCallback, errorCallback: () => {} };
  await pyodide.loadPackagesFromImports(imports, quiet).catch(() => {});
}

function needed({ sources, wanted, done }) {
  const found = needs.needed(pyodide.toPy(sources), wanted, pyodide.toPy(done));
  return found.toJs();
}

function complete({ text }) {
  return kernel.complete(text).toJs();
}

/* Count the bytes of everything that is fetched, and keep Pyodide's files for the next chapter. */
function count(files, total) {
  const real = self.fetch.bind(self);
  let loaded = 0;
  const counter = () =>
    new TransformStream({
      transform(chunk, controller) {
        loaded += chunk.byteLength;
        self.postMessage({ progress: { loaded, total } });
        controller.enqueue(chunk);
      },
    });
  self.fetch = async (request, options) => {
    const address = new URL(request.url || request, self.location).href;
    const response = address.startsWith(files) ? await kept(address, real) : await real(request, options);
    if (!response.ok || !response.body) return response;
    const { status, headers } = response;
    return new Response(response.body.pipeThrough(counter()), { status, headers });
  };
}

/* Servers let a browser forget these files soon, though a version never changes. */
async function kept(address, real) {
  let store, found;
  try {
    store = await self.caches.open("python-in-page");
    found = await store.match(address);
  } catch {
    store = null; // no such store here, or it is full or forbidden
  }
  if (found) return found;
  const response = await real(address);
  if (store && response.ok) store.put(address, response.clone()).catch(() => {});
  return response;
}
