// The tree of a live widget. It is the tree of pages, but its model holds only what was opened, and it
// asks the kernel for the rest.

/**
 * What a widget's model offers, as far as it is used here.
 * @typedef {object} Host
 * @property {(name: string) => unknown} get
 * @property {(content: object) => void} send
 * @property {(name: string, value: unknown) => void} set
 * @property {() => void} save_changes
 * @property {(event: string, act: (content: any) => void) => void} on
 * @property {(event: string, act: (content: any) => void) => void} off
 */

/**
 * An answer of the kernel.
 * @typedef {object} Answer
 * @property {string} kind
 * @property {number} [part]
 * @property {string} [payload]
 * @property {string} [figures]
 * @property {number} [version]
 * @property {string} [text]
 * @property {string} [said]
 * @property {number[]} [place]
 * @property {number} [view]
 * @property {number} [serial]
 * @property {number} [count]
 * @property {number} [hits]
 * @property {number} [hit]
 * @property {number} [left]
 * @property {number | null} [depth]
 * @property {number} [searched]
 * @property {boolean} [all]
 * @property {boolean} [exact]
 */

/**
 * Follows the theme of the page where its style sheets do not reach.
 * @param {HTMLElement} tree
 */
function followTheme(tree) {
  const follow = () => {
    const isDark = document.querySelector(":root.dark, body.dark, :root[data-theme=dark], body[data-theme=dark]");
    tree.dataset.theme = isDark ? "dark" : "light";
  };
  const watcher = new MutationObserver(follow);
  for (const element of [document.documentElement, document.body]) watcher.observe(element, { attributes: true });
  follow();
  return () => watcher.disconnect();
}

/**
 * Shows a widget; what anywidget calls.
 * @param {{model: Host, el: HTMLElement}} place
 */
function renderWidget({ model, el }) {
  const tree = document.createElement("div");
  tree.className = "treeview tv-live";
  el.append(tree);
  const live = new Live(model, tree);
  const take = (/** @type {Answer} */ answer) => live.take(answer);
  const select = () => live.shown.select(/** @type {number[]} */ (model.get("_selection")));
  const confirm = () => live.confirm();
  model.on("msg:custom", take);
  model.on("change:_selection", select);
  model.on("change:selected_path", confirm);
  return () => {
    model.off("msg:custom", take);
    model.off("change:_selection", select);
    model.off("change:selected_path", confirm);
    live.stop();
  };
}
