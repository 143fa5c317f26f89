// The bar above a tree: search, depth, and what else to show.

/** @type {Highlight | null} */
let highlights = null;

/**
 * @param {string} text
 * @param {() => void} act
 * @param {string} [title]
 */
function makeButton(text, act, title) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  if (title) button.title = title;
  if (title && text.length === 1) button.setAttribute("aria-label", title);
  button.addEventListener("click", act);
  return button;
}

/**
 * A button that stays pressed.
 * @param {string} text
 * @param {boolean} pressed
 * @param {(pressed: boolean) => void} act
 * @param {string} title
 */
function makeSwitch(text, pressed, act, title) {
  const button = makeButton(
    text,
    () => {
      const now = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(now));
      act(now);
    },
    title,
  );
  button.setAttribute("aria-pressed", String(pressed));
  return button;
}

/**
 * A choice of how many levels to open.
 * @param {(depth: number) => void} open
 */
function makeDepth(open) {
  const depth = document.createElement("select");
  depth.setAttribute("aria-label", "Open to a depth");
  depth.title = "Open so many levels";
  depth.append(new Option("Depth", ""), ...[1, 2, 3, 4, 5, 6].map((n) => new Option(String(n), String(n))));
  depth.addEventListener("change", () => {
    if (depth.value !== "") open(Number(depth.value));
    depth.value = "";
  });
  return depth;
}

const MOST_PATHS = 10_000;

/** A text as Python writes it. @param {string} text */
const quoted = (text) =>
  text.includes("'") && !text.includes('"') ? `"${escaped(text)}"` : `'${escaped(text).replaceAll("'", "\\'")}'`;

/** @param {string} text */
const escaped = (text) => text.replaceAll("\\", "\\\\");

class Finder {
  /**
   * Search in a tree: the state, without its controls.
   * @param {View} view
   * @param {(text: string) => void} say
   */
  constructor(view, say) {
    this.view = view;
    this.say = say;
    /** @type {Search | null} */
    this.search = null;
    this.current = -1;
    this.query = "";
    this.isFilter = true;
    /** @type {Map<number, boolean> | null} What was folded before lines were filtered. */
    this.folds = null;
    this.timer = 0;
    view.onBuilt = (element, row) => this.markRow(element, row);
  }

  /**
   * Searches for something else.
   * @param {string} query
   */
  start(query) {
    clearTimeout(this.timer);
    this.query = query;
    this.current = -1;
    highlights?.clear();
    if (parseQuery(query).length === 0) {
      this.search = null;
      this.apply();
      this.say("");
      return;
    }
    const search = new Search(this.view.outline, query);
    this.search = search;
    const slice = () => {
      search.run(performance.now() + SLICE);
      const share = Math.floor((100 * search.at) / Math.max(search.outline.model.size, 1));
      if (search.done) this.finish(search);
      else {
        this.say(`${share} %`);
        this.timer = setTimeout(slice, 0);
      }
    };
    slice();
  }

  /** @param {Search} search */
  finish(search) {
    const count = search.hits.length;
    search.close();
    this.apply();
    this.say(count === 1 ? "1 line matches" : `${count.toLocaleString("en-US")} lines match`);
  }

  /** Shows the result, filtered or in place. */
  apply() {
    const { outline } = this.view;
    outline.from.clear();
    if (this.folds) {
      outline.folds = this.folds;
      this.folds = null;
    }
    outline.kept = null;
    if (this.search && this.isFilter) {
      this.folds = outline.folds;
      outline.folds = new Map([[0, true]]);
      if (!outline.model.isBranch(0)) outline.folds.clear();
      outline.kept = this.search.kept;
    } else if (this.search?.hits[0] !== undefined) {
      this.view.reveal(this.search.hits[0]);
    }
    highlights?.clear();
    this.view.render();
  }

  /** @param {boolean} isFilter */
  setFilter(isFilter) {
    this.isFilter = isFilter;
    if (this.search?.done) this.apply();
  }

  /** @param {number} by */
  go(by) {
    const { search } = this;
    if (!search?.done || search.hits.length === 0) return;
    const count = search.hits.length;
    this.current = this.current < 0 && by < 0 ? count - 1 : (this.current + by + count) % count;
    const element = this.view.reveal(search.hits[this.current]);
    for (const old of this.view.list.querySelectorAll(".tv-now")) old.classList.remove("tv-now");
    element?.classList.add("tv-now");
    this.view.activate(element, false);
    element?.scrollIntoView({ block: "nearest" });
    this.say(`${(this.current + 1).toLocaleString("en-US")} of ${count.toLocaleString("en-US")} lines`);
  }

  /**
   * The paths of all nodes that match, as a list that Python reads.
   * @returns {{text: string, said: string}}
   */
  selection() {
    const nodes = this.search?.nodes ?? [];
    const paths = nodes.slice(0, MOST_PATHS).map((at) => this.view.outline.model.path(at));
    const known = paths.filter((path) => path !== null && path !== "");
    const text = known.length > 0 ? `[\n${known.map((path) => `  ${quoted(path ?? "")},\n`).join("")}]` : "[]";
    const count = `${known.length.toLocaleString("en-US")} ${known.length === 1 ? "path" : "paths"}`;
    const all = known.length === nodes.length;
    return { text, said: all ? count : `${count} of ${nodes.length.toLocaleString("en-US")} matches` };
  }

  /**
   * Marks a line that matches.
   * @param {HTMLElement} element
   * @param {Row} row
   */
  markRow(element, row) {
    const { search } = this;
    if (!search?.done) return;
    const { kept } = search;
    let isHit = row.kind === "node" && (kept[row.at] & HIT) !== 0;
    for (let at = row.start ?? 0; row.kind === "cells" && at < (row.stop ?? 0); at += 1) {
      isHit ||= (kept[row.at + 1 + at] & HIT) !== 0;
    }
    if (!isHit) return;
    element.classList.add("tv-hit");
    if (!("highlights" in CSS)) return;
    if (highlights === null) {
      // Another output on the same page may have been searched already.
      highlights = CSS.highlights.get("treeview") ?? new Highlight();
      CSS.highlights.set("treeview", highlights);
    }
    const words = search.terms.filter(({ not, about }) => !not && (about === "text" || about === "type"));
    highlightWords(element, words.map(({ word }) => word), highlights);
  }
}

/**
 * Puts the bar above a tree.
 * @param {View} view
 * @param {Model | null} exact The same value, written so that it evaluates.
 */
function addBar(view, exact) {
  const bar = document.createElement("div");
  bar.className = "tv-bar";
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Search and folding");
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  const finder = new Finder(view, (text) => {
    said.textContent = text;
    copy.hidden = !finder.search?.done;
  });
  const field = document.createElement("input");
  field.type = "search";
  field.placeholder = "Search, type: path: shape:";
  field.setAttribute("aria-label", "Search: words, type:name, path:text, dtype:name, shape:sizes, -word");
  field.title =
    "Words a line must hold. type:Linear, path:layers[*].body, dtype:float and shape:16,* narrow the search," +
    " -word excludes.";
  let waiting = 0;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => finder.start(field.value), 120);
  });
  field.addEventListener("keydown", (event) => {
    event.stopPropagation(); // a notebook has meanings of its own for keys
    if (event.key === "Enter") finder.go(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") {
      field.value = "";
      finder.start("");
    }
  });
  const open = (/** @type {number} */ depth) => {
    const { outline } = view;
    outline.depth = depth;
    (finder.folds ?? outline.folds).clear();
    outline.from.clear();
    outline.whole.clear();
    if (depth === Infinity) outline.shown.clear();
    view.render();
  };
  const copyPaths = () => {
    const { text, said: count } = finder.selection();
    void writeText(text).then((done) => {
      finder.say(done ? `${count} copied` : text);
      if (done) return;
      said.style.userSelect = "text";
      getSelection()?.selectAllChildren(said);
    });
  };
  const copy = makeButton("Copy paths", copyPaths, "Copy the paths of all matches as a Python list");
  copy.hidden = true;
  bar.append(
    field,
    makeButton("‹", () => finder.go(-1), "Previous match"),
    makeButton("›", () => finder.go(1), "Next match"),
    copy,
    makeSwitch("Only matches", true, (on) => finder.setFilter(on), "Hide lines that do not match"),
    makeButton("Expand all", () => open(Infinity)),
    makeButton("Collapse all", () => open(1)),
    makeDepth(open),
  );
  if (view.outline.model.totals.size > 0) {
    const title = "Show how much the arrays of each part hold";
    bar.append(makeSwitch("Totals", false, (on) => view.list.classList.toggle("tv-sums", on), title));
  }
  if (exact) {
    const plain = view.outline.model;
    const title = "Write names in full, as Python needs them";
    const change = (/** @type {boolean} */ on) => {
      exchange(view, on ? exact : plain);
      finder.folds = null;
      finder.start(field.value);
    };
    bar.append(makeSwitch("Roundtrip", false, change, title));
  }
  const { reason } = view.outline.model.header;
  if (!exact && reason) {
    const button = makeButton("Roundtrip", () => (said.textContent = reason), reason);
    button.setAttribute("aria-disabled", "true");
    bar.append(button);
  }
  bar.append(said);
  view.tree.insertBefore(bar, view.list);
}

/**
 * Shows another document of the same value, with the same parts open.
 * @param {View} view
 * @param {Model} into
 */
function exchange(view, into) {
  const old = view.outline;
  const outline = view.show(into);
  outline.depth = 0;
  for (let at = 0; at < old.model.size; at += 1) {
    const element = view.elements.get(at);
    if (!element || !view.rows.get(element)?.open) continue;
    const place = samePlace(old.model, at, into);
    if (place !== null) outline.folds.set(place, true);
  }
  view.active = null;
  view.render();
}
