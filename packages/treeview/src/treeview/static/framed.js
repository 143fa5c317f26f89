// In a frame of marimo, which knows nothing of what is in it: the frame becomes as high as that, and
// what is in it takes the theme of the page around, also when that changes.

{
  const frame = /** @type {HTMLElement | null} */ (globalThis.frameElement);
  const root = document.documentElement;
  if (frame) {
    const around = frame.ownerDocument.body;
    const follow = () => {
      const dark = around.dataset.theme === "dark" || around.classList.contains("dark");
      root.dataset.theme = dark ? "dark" : "light";
      // Browsers paint a background behind a frame whose scheme is not that of its place.
      root.style.colorScheme = getComputedStyle(frame).colorScheme;
    };
    follow();
    new MutationObserver(follow).observe(around, { attributeFilter: ["class", "data-theme"] });
    new ResizeObserver(() => {
      frame.style.height = `${Math.ceil(root.getBoundingClientRect().height)}px`;
    }).observe(root);
  }
}
