/* What the pages of the book do beyond the stock theme. A classic script: it also runs from a
   file. */
(() => {
  "use strict";

  /* Who scrolls with the keyboard must be able to enter what scrolls. */
  const SCROLLING = "mjx-container[display], div.math, .pst-scrollable-table-container";

  /* Code and outputs enter the page with a tabindex of their own. */
  const WIDE = `.bd-article pre, ${SCROLLING}`;

  function openToKeyboard() {
    for (const box of document.querySelectorAll(SCROLLING)) {
      const scrolls = box.scrollWidth > box.clientWidth + 1;
      if (scrolls) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
    document.querySelectorAll(WIDE).forEach(shade);
  }

  /* A shadow says that something goes on to the right. */
  function shade(box) {
    const rest = box.scrollWidth - box.clientWidth - box.scrollLeft;
    box.classList.toggle("goes-on", rest > 1);
  }

  /* A formula gets its width when MathJax has set it, a table when its font has come. */
  function watch() {
    const sizes = new ResizeObserver(openToKeyboard);
    for (const box of document.querySelectorAll("div.math, .pst-scrollable-table-container")) {
      sizes.observe(box);
    }
    document.addEventListener("scroll", ({ target }) => target.matches?.(WIDE) && shade(target), true);
    window.addEventListener("resize", openToKeyboard);
    openToKeyboard();
  }

  /* A drawer of the theme stays open over the place that its link leads to. */
  for (const drawer of document.querySelectorAll("dialog")) {
    drawer.addEventListener("click", (event) => {
      if (event.target.closest("a[href^='#']")) drawer.close();
    });
  }

  /* Copying takes the focus away, and the next Tab would begin at the top of the page. */
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".copybtn");
    if (button) setTimeout(() => button.focus({ preventScroll: true }));
  });

  /* Paper is white, and has every picture. */
  let theme = null;
  window.addEventListener("beforeprint", () => {
    theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    for (const image of document.images) image.loading = "eager";
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.dataset.theme = theme;
  });

  if (document.readyState === "complete") watch();
  else window.addEventListener("load", watch);
})();
