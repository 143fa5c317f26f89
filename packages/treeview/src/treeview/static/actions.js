// What can be taken from the line under the pointer or the focus: its path, its value, and how
// much the arrays in it hold. One small panel goes from line to line; it stands outside the lines,
// so that neither a selection nor a screen reader takes it for a part of them.

const LONG = 5_000; // nodes

/**
 * The node at a place of the page.
 * @param {View} view
 * @param {Element} target
 * @param {HTMLElement} line
 */
function nodeAt(view, target, line) {
  const row = view.rows.get(line);
  if (!row || (row.kind !== "node" && row.kind !== "cells")) return -1;
  if (row.kind === "node") return row.at;
  const cells = [...line.querySelectorAll(":scope > b")];
  const cell = target.closest("b");
  const position = cell ? cells.indexOf(cell) : -1;
  return row.at + 1 + (row.start ?? 0) + Math.max(position, 0);
}

/**
 * @param {View} view
 * @param {Model | null} exact
 * @param {(at: number) => Promise<{text: string, exact: boolean}>} [ask] Who knows values better.
 */
function addActions(view, exact, ask) {
  const panel = document.createElement("div");
  panel.className = "tv-do";
  panel.hidden = true;
  let at = -1;
  const copyPath = makeButton("copy path", () => void copyText(pathOf(), copyPath, "copy path"));
  const copyValue = makeButton("copy value", async () => {
    const { text, exact: isExact } = ask ? await ask(at) : valueOf();
    const done = ask && !isExact ? "copied as text" : "copied";
    void copyText(text, copyValue, ask || isExact ? "copy value" : "copy text", done);
  });
  const totals = document.createElement("span");
  panel.append(copyPath, copyValue, totals);
  view.tree.insertBefore(panel, view.list); // so that Shift+Tab leads there from any line
  const pathOf = () => view.outline.model.path(at) ?? "";
  const valueOf = () => {
    const { model } = view.outline;
    if (model === exact) return wholeText(exact, at, true);
    const place = exact ? samePlace(model, at, exact) : null;
    return exact && place !== null ? wholeText(exact, place, true) : wholeText(model, at);
  };
  /** @type {(line: HTMLElement, node: number) => void} */
  const attach = (line, node) => {
    at = node;
    panel.hidden = at < 0;
    if (at < 0) return;
    const path = pathOf();
    copyPath.hidden = path === "";
    copyPath.title = path;
    // Of a long value that is found out when it is copied.
    const isExact = ask || view.outline.model.next[at] - at > LONG || valueOf().exact;
    copyValue.title = isExact ? "" : "Not all of the value is on this page; copies what is shown";
    totals.textContent = view.outline.model.totals.get(at) ?? "";
    resetButton(copyPath, "copy path");
    resetButton(copyValue, isExact ? "copy value" : "copy text");
    place(view, panel, line);
  };
  view.list.addEventListener("pointerover", (event) => {
    const target = event.target;
    const line = target instanceof Element ? target.closest(".r") : null;
    if (line instanceof HTMLElement && target instanceof Element) attach(line, nodeAt(view, target, line));
  });
  view.list.addEventListener("focusin", (event) => {
    const line = event.target; // or a picture in one
    if (line instanceof HTMLElement && view.rows.has(line)) attach(line, nodeAt(view, line, line));
  });
  view.tree.addEventListener("pointerleave", () => {
    panel.hidden = !panel.contains(document.activeElement);
  });
  view.onChanged = () => {
    panel.hidden = true;
  };
  view.list.addEventListener("copy", (event) => {
    // Without a selection there is nothing to copy but the place where the reader is.
    if (!getSelection()?.isCollapsed || at < 0) return;
    event.clipboardData?.setData("text/plain", pathOf());
    event.preventDefault();
  });
}

/**
 * Puts the panel behind the text of a line, or at the right edge where that is too long.
 * @param {View} view
 * @param {HTMLElement} panel
 * @param {HTMLElement} line
 */
function place(view, panel, line) {
  const range = document.createRange();
  range.selectNodeContents(line);
  const figure = line.querySelector(":scope > [data-v]");
  if (figure) range.setEndBefore(figure);
  const around = view.tree.getBoundingClientRect();
  const text = [...range.getClientRects()].at(-1) ?? line.getBoundingClientRect();
  // What a style sheet adds to a line: what is new, totals.
  const more = parseFloat(getComputedStyle(line, "::after").width) || 0;
  const right = Math.min(text.right + more + 10, around.right - panel.offsetWidth - 6);
  panel.style.left = `${right - around.left + view.tree.scrollLeft}px`;
  panel.style.top = `${line.getBoundingClientRect().top - around.top + view.tree.scrollTop}px`;
}

/**
 * @param {HTMLButtonElement} button
 * @param {string} text
 */
function resetButton(button, text) {
  button.textContent = text;
  button.style.userSelect = "";
}

/**
 * Copies text; where the page may not, shows it selected instead.
 * @param {string} text
 * @param {HTMLButtonElement} button
 * @param {string} name
 * @param {string} [done] What to say then.
 */
async function copyText(text, button, name, done = "copied") {
  if (await writeText(text)) {
    button.textContent = done;
    setTimeout(() => resetButton(button, name), 1_500);
  } else {
    button.style.userSelect = "text";
    button.textContent = text;
    getSelection()?.selectAllChildren(button);
  }
}

/**
 * Puts text into the clipboard.
 * @param {string} text
 * @returns {Promise<boolean>} Whether the page may.
 */
async function writeText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
