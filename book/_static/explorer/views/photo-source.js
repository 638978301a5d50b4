/* Where the photo comes from: the book, a file, the clipboard or the camera. It stays here. */
(function (explorer) {
  "use strict";
  const { make } = explorer.dom;
  const LONGEST = 480;  // pixels of the longer side: larger ones are made smaller
  const PACE = 90;  // milliseconds from one picture of the camera to the next
  const folder = document.currentScript.src.replace(/views\/[^/]*$/, "photos/");
  const loading = {};

  /* The photos of the book come as scripts: a page opened as a file may read no other pixels. */
  function bundled(name) {
    loading[name] = loading[name] || new Promise((resolve, reject) => {
      const script = make("script", { src: `${folder}${name}.js` });
      script.addEventListener("load", () => resolve(pixelsOf(explorer.photos[name])));
      script.addEventListener("error", () => reject(new Error(`${name} is missing`)));
      document.head.append(script);
    });
    return loading[name];
  }

  function pixelsOf(address) {
    return new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = () => resolve(scaled(image, image.naturalWidth, image.naturalHeight));
      image.onerror = () => reject(new Error("This file holds no picture that the browser can read."));
      image.src = address;
    });
  }

  function scaled(source, width, height) {
    const factor = Math.min(1, LONGEST / Math.max(width, height));
    const canvas = make("canvas", {
      width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)),
    });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  }

  function fromFile(file) {
    const address = URL.createObjectURL(file);
    return pixelsOf(address).finally(() => URL.revokeObjectURL(address));
  }

  function pictureIn(list) {
    return [...(list || [])].find((file) => file.type.startsWith("image/"));
  }

  /* Buttons for a picture of one's own. `onPhoto(pixels)`; `onTrouble(text)`; `drop` takes files. */
  function create({ drop, onPhoto, onTrouble }) {
    const picker = make("input", {
      type: "file", accept: "image/*", class: "cx-hidden", tabindex: "-1", "aria-label": "picture of your own",
      on: { change: () => { take(picker.files[0]); picker.value = ""; } },
    });
    const open = button("Your photo", () => picker.click());
    const camera = button("Camera", toggleCamera);
    camera.hidden = !(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);
    const element = make("span", { class: "cx-sources" }, open, camera, picker);
    let stream = null;
    let timer = null;

    function button(text, onClick) {
      return make("button", { type: "button", class: "cx-button", on: { click: onClick } }, text);
    }

    function take(file) {
      if (!file) return;
      stopCamera();
      fromFile(file).then(onPhoto, (error) => onTrouble(error.message));
    }

    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      drop.classList.add("cx-over");
    });
    drop.addEventListener("dragleave", () => drop.classList.remove("cx-over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("cx-over");
      take(pictureIn(event.dataTransfer.files));
    });
    document.addEventListener("paste", (event) => {
      const file = pictureIn(event.clipboardData && event.clipboardData.files);
      if (file && drop.offsetParent !== null) take(file);
    });

    async function toggleCamera() {
      if (stream) { stopCamera(); return; }
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 } } });
      } catch (error) {
        onTrouble("The browser gave no camera to this page.");
        return;
      }
      camera.textContent = "Hold still";
      const video = make("video", { playsinline: true, muted: true });
      video.srcObject = stream;
      await video.play();
      const look = () => {
        if (!stream) return;
        onPhoto(scaled(video, video.videoWidth, video.videoHeight));
        timer = setTimeout(look, PACE);
      };
      look();
    }

    /* The last picture of the camera stays. */
    function stopCamera() {
      clearTimeout(timer);
      if (stream) stream.getTracks().forEach((track) => track.stop());
      stream = null;
      camera.textContent = "Camera";
    }

    return { element, stop: stopCamera };
  }

  explorer.photoSource = { bundled, create };
})((window.convlabExplorer = window.convlabExplorer || {}));
