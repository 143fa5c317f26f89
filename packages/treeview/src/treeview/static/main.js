// What scripts add to trees that already fold without them. The page holds each tree as markup, as
// far as that is short, and as a payload from which the lines are built anew here; then search,
// keyboard and the rest work on the whole of it. Nothing is fetched, nothing evaluated, and text
// only ever becomes text.

/**
 * The text of a payload.
 * @param {Element} element
 * @returns {Promise<string>}
 */
async function payloadText(element) {
  const text = String(JSON.parse(element.textContent ?? '""'));
  if (!element.hasAttribute("data-packed")) return text;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return await new Response(stream).text();
}

/**
 * Pictures and rich output, by the position of their leaf.
 * @param {HTMLElement} tree
 */
function collectFigures(tree) {
  /** @type {Map<number, Element>} */
  const figures = new Map();
  const templates = [...tree.querySelectorAll("template")].map(({ content }) => content);
  for (const part of [tree, ...templates]) {
    for (const figure of part.querySelectorAll("[data-v]")) {
      figures.set(Number(figure.getAttribute("data-v")), figure);
    }
  }
  return figures;
}

/**
 * Makes a tree searchable.
 * @param {HTMLElement} tree
 */
async function start(tree) {
  // A figure is a tree's wrapper, too, and may hold trees of their own.
  const [data, more] = tree.querySelectorAll(":scope > script.tv-data");
  if (!data) return;
  const said = tree.querySelector(".tv-said");
  if (data.hasAttribute("data-packed") && !("DecompressionStream" in globalThis)) {
    said?.append(" This browser cannot unpack it.");
    return;
  }
  const model = await Model.load(await payloadText(data));
  const exact = more ? await Model.load(await payloadText(more)) : null;
  /** @type {Pictures | undefined} */
  const pictures = /** @type {any} */ (tree).treeviewPictures;
  await pictures?.loaded();
  const view = new View(tree, model, collectFigures(tree), pictures);
  const old = [...tree.childNodes].filter((node) => !(node instanceof HTMLStyleElement));
  for (const node of old) node.remove();
  tree.append(view.list);
  if (model.branches >= (model.header.least ?? 0)) addBar(view, exact);
  addActions(view, exact);
  addKeys(view);
  view.list.addEventListener("click", (event) => {
    const target = event.target;
    const line = target instanceof Element ? target.closest(".r") : null;
    const row = line instanceof HTMLElement ? view.rows.get(line) : undefined;
    const link = target instanceof Element && target.closest("a");
    if (link) event.preventDefault();
    if (!(line instanceof HTMLElement) || !row || (target instanceof Element && target.closest(".tv-rich"))) return;
    if (!getSelection()?.isCollapsed) return; // the reader selects text
    const special = row.kind === "node" && view.outline.model.special(row.at)?.to !== undefined;
    view.activate(line);
    if (!special || link) press(view, line, row);
  });
  view.render();
  tree.dataset.ready = "";
}

for (const tree of document.querySelectorAll(".treeview:not([data-ready])")) {
  if (!(tree instanceof HTMLElement) || "started" in tree.dataset) continue;
  tree.dataset.started = "";
  void start(tree);
}
