// Movement by keyboard as in any tree: the arrows, Home and End, letters for the next line that
// begins with them, and a star for all branches beside this one.

const TYPING = 700; // milliseconds until letters begin anew

/**
 * @param {View} view
 */
function addKeys(view) {
  let typed = "";
  let last = 0;
  view.list.addEventListener("keydown", (event) => {
    const line = event.target instanceof HTMLElement ? event.target.closest(".r") : null;
    if (!(line instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = view.rows.get(line);
    if (!row) return;
    if (event.key.length === 1 && /[^\s*]/.test(event.key)) {
      typed = event.timeStamp - last < TYPING ? typed + event.key : event.key;
      last = event.timeStamp;
      typeAhead(view, line, typed.toLowerCase());
    } else if (!move(view, line, row, event.key)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation(); // a notebook has meanings of its own for these keys
  });
}

/**
 * @param {View} view
 * @param {HTMLElement} line
 * @param {Row} row
 * @param {string} key
 * @returns {boolean} Whether the key means something.
 */
function move(view, line, row, key) {
  switch (key) {
    case "ArrowDown":
      view.activate(view.neighbour(line, true));
      return true;
    case "ArrowUp":
      view.activate(view.neighbour(line, false));
      return true;
    case "ArrowRight":
      if (row.open === false) view.toggle(line, true);
      else if (row.open) view.activate(view.neighbour(line, true));
      else if (row.kind === "rest" || row.kind === "before") view.showRest(line);
      return true;
    case "ArrowLeft":
      if (row.open) view.toggle(line, false);
      else view.activate(parentLine(view, row));
      return true;
    case "Home":
      view.activate(view.first());
      return true;
    case "End":
      view.activate(view.items().at(-1) ?? null);
      return true;
    case "Enter":
    case " ":
      press(view, line, row);
      return true;
    case "*":
      openSiblings(view, row);
      return true;
    default:
      return false;
  }
}

/**
 * The line of the branch that a line is in.
 * @param {View} view
 * @param {Row} row
 */
function parentLine(view, row) {
  const above = row.kind === "node" ? view.outline.model.up[row.at] : row.at;
  return above < 0 ? null : view.reveal(above);
}

/**
 * Does what a click on a line does.
 * @param {View} view
 * @param {HTMLElement} line
 * @param {Row} row
 */
function press(view, line, row) {
  const { model } = view.outline;
  const to = row.kind === "node" ? model.special(row.at)?.to : undefined;
  if (to !== undefined) view.flash(view.reveal(model.targets.get(to) ?? 0));
  else if (row.kind === "rest" || row.kind === "before") view.showRest(line);
  else view.toggle(line);
}

/**
 * @param {View} view
 * @param {Row} row
 */
function openSiblings(view, row) {
  const above = view.outline.model.up[row.at];
  for (const line of view.items()) {
    const found = view.rows.get(line);
    const isSibling = found?.kind === "node" && view.outline.model.up[found.at] === above;
    if (isSibling && found.open === false) view.toggle(line, true);
  }
}

/**
 * Goes to the next line that begins with some letters; quotes do not count.
 * @param {View} view
 * @param {HTMLElement} line
 * @param {string} letters
 */
function typeAhead(view, line, letters) {
  const lines = view.items();
  const start = lines.indexOf(line) + (letters.length === 1 ? 1 : 0);
  for (let step = 0; step < lines.length; step += 1) {
    const candidate = lines[(start + step) % lines.length];
    const row = candidate && view.rows.get(candidate);
    if (!candidate || !row) continue;
    const text = joined(rowSpans(view.outline, row)).toLowerCase();
    if (text.startsWith(letters) || text.replace(/^['"]/, "").startsWith(letters)) {
      view.activate(candidate);
      return;
    }
  }
}
