// Selecting in a live tree, by click and by Enter. The arrow of a line only folds.

/** @param {Live} live */
function addChoosing(live) {
  const { list } = live.shown;
  list.addEventListener("click", (event) => chooseAt(live, event));
  // Before the keys of the tree, for which Enter folds.
  list.addEventListener("keydown", (event) => chooseByKey(live, event), { capture: true });
}

/**
 * @param {Live} live
 * @param {MouseEvent} event
 */
function chooseAt(live, event) {
  const { shown } = live;
  const { target } = event;
  const line = target instanceof Element ? target.closest(".r") : null;
  const row = line instanceof HTMLElement ? shown.rows.get(line) : undefined;
  const link = target instanceof Element && target.closest("a");
  if (link) event.preventDefault();
  if (!(line instanceof HTMLElement) || !(target instanceof Element) || !row) return;
  if (target.closest(".tv-rich, figure") || !getSelection()?.isCollapsed) return;
  shown.activate(line);
  const margin = line.querySelector(":scope > i");
  const isArrow = row.open !== undefined && margin !== null && event.clientX < margin.getBoundingClientRect().right;
  if (isArrow || link || row.kind === "rest" || row.kind === "before") press(shown, line, row);
  else choose(live, line, row, nodeAt(shown, target, line));
}

/**
 * @param {Live} live
 * @param {KeyboardEvent} event
 */
function chooseByKey(live, event) {
  const { shown } = live;
  const line = event.target; // pictures in lines have keys of their own
  const row = line instanceof HTMLElement ? shown.rows.get(line) : undefined;
  if (event.key !== "Enter" || !(line instanceof HTMLElement) || !row) return;
  if (row.kind === "rest" || row.kind === "before" || event.ctrlKey || event.metaKey || event.altKey) return;
  choose(live, line, row, nodeAt(shown, line, line));
  event.preventDefault();
  event.stopPropagation();
}

/**
 * Selects a node. A folded branch opens; one that is selected already folds and unfolds.
 * @param {Live} live
 * @param {HTMLElement} line
 * @param {Row} row
 * @param {number} at
 */
function choose(live, line, row, at) {
  const { shown } = live;
  if (at < 0) return;
  const [part, child] = shown.live.place(at);
  const isChosen = part === shown.selection[0] && child === shown.selection[1];
  live.isChoosing ||= !isChosen;
  if (!isChosen) live.ask({ kind: "select", part, child });
  if (row.open === false || isChosen) shown.toggle(line);
}
