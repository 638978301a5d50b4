/* What the pages of the book do beyond the stock theme. A classic script: it also runs from a
   file. */
(() => {
  "use strict";

  /* Who scrolls with the keyboard must be able to enter what scrolls. */
  const SCROLLING = "mjx-container[display], div.math, .pst-scrollable-table-container";

  function openToKeyboard() {
    for (const box of document.querySelectorAll(SCROLLING)) {
      const scrolls = box.scrollWidth > box.clientWidth + 1;
      if (scrolls) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  /* A formula gets its width when MathJax has set it, a table when its font has come. */
  function watch() {
    const sizes = new ResizeObserver(openToKeyboard);
    for (const box of document.querySelectorAll("div.math, .pst-scrollable-table-container")) {
      sizes.observe(box);
    }
    openToKeyboard();
  }

  if (document.readyState === "complete") watch();
  else window.addEventListener("load", watch);
})();
