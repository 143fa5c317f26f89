// The tree of a live widget. It is the tree of pages, but its model holds only what was opened:
// opening a branch asks the kernel, and the answer, a payload like that of a page, takes the place
// of the branch. Both sides call branches by numbers, which stay the same however the object changes.

const ANSWER = 4_000; // milliseconds until the reader is told that no answer came
const PAUSE = 250; // milliseconds after the last letter until a search starts
const GONE = "The kernel is busy or gone. What was open before is still here.";

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
 * @property {number} [hit]
 * @property {number} [searched]
 * @property {boolean} [all]
 */

/** @typedef {{kind: string, text: string}} News */
/** @typedef {Header & {places: number[], before: number[], marks: (number | string)[]}} LiveHeader */

/**
 * Takes the entries of a map along when the lines from `start` to `stop` become more or fewer.
 * @template T
 * @param {Map<number, T>} map By line.
 * @param {number} start
 * @param {number} stop
 * @param {number} by
 */
function shiftLines(map, start, stop, by) {
  const entries = [...map];
  map.clear();
  for (const [at, value] of entries) {
    if (at < start) map.set(at, value);
    else if (at >= stop) map.set(at + by, value);
  }
}

class LiveModel extends Model {
  /** @param {string} text A payload. */
  constructor(text) {
    super(text);
    /** @type {Map<number, number>} The numbers of branches, by line. */
    this.numbers = new Map();
    /** @type {Map<number, number>} The lines of branches, by number. */
    this.places = new Map();
    /** @type {Map<number, News>} What is new. */
    this.marks = new Map();
    /** @type {Map<number, number>} How many children come before those that are known. */
    this.before = new Map();
    this.take(this.header, 0);
    this.link();
  }

  /**
   * Takes over what a header says of its lines.
   * @param {Header} header
   * @param {number} by How many lines stand before them.
   */
  take(header, by) {
    const { places, before, marks } = /** @type {LiveHeader} */ (header);
    for (let at = 0; at + 1 < places.length; at += 2) this.numbers.set(places[at] + by, places[at + 1]);
    for (let at = 0; at + 1 < before.length; at += 2) this.before.set(before[at] + by, before[at + 1]);
    for (let at = 0; at + 2 < marks.length; at += 3) {
      this.marks.set(Number(marks[at]) + by, { kind: String(marks[at + 1]), text: String(marks[at + 2]) });
    }
  }

  /** Finds branches by their numbers, as references do. */
  link() {
    this.places.clear();
    for (const [at, number] of this.numbers) {
      this.places.set(number, at);
      this.targets.set(number, at);
    }
  }

  /**
   * Puts another document in the place of a node.
   * @param {number} start The node.
   * @param {LiveModel} part
   * @returns {number} By how many lines there are more.
   */
  replace(start, part) {
    const stop = this.next[start];
    const by = part.size - (stop - start);
    const { shapes, leaves } = this.header;
    const [firstShape, firstLeaf] = [shapes.length, leaves.length];
    const lines = part.lines.map((line) => {
      if (line.charCodeAt(0) === BRANCH) return `#${Number(line.slice(1)) + firstShape}`;
      return line.charCodeAt(0) === LEAF ? `@${Number(line.slice(1)) + firstLeaf}` : line;
    });
    this.header.shapes = shapes.concat(part.header.shapes);
    this.header.leaves = leaves.concat(
      part.header.leaves.map((leaf) =>
        Array.isArray(leaf) || leaf.view === undefined ? leaf : { ...leaf, view: leaf.view + firstLeaf },
      ),
    );
    const all = this.lines.slice(0, start).concat(lines, this.lines.slice(stop));
    /** @type {Map<number, any>[]} */
    const maps = [this.numbers, this.marks, this.before, this.totals];
    for (const map of maps) shiftLines(map, start, stop, by);
    for (const [at, words] of part.totals) this.totals.set(at + start, words);
    for (const character of part.wide) this.wide.add(character);
    for (const character of part.zero) this.zero.add(character);
    const column = () => new Int32Array(all.length);
    Object.assign(this, { lines: all, size: all.length, next: column(), up: column(), nth: column(), branches: 0 });
    this.targets.clear();
    for (const _ of this.connecting());
    this.take(part.header, start);
    this.link();
    return by;
  }

  /**
   * The line of a place, or -1.
   * @param {readonly number[]} place The number of a branch, and which child of it (or -1).
   */
  find(place) {
    const [number, child] = place;
    const at = this.places.get(number ?? -1) ?? -1;
    if (at < 0 || child === undefined || child < 0) return at;
    return this.isBranch(at) && child < this.shape(at).count ? this.child(at, child) : -1;
  }

  /**
   * The place of a line.
   * @param {number} at
   * @returns {[number, number]}
   */
  place(at) {
    let below = at;
    for (let above = at; above >= 0; above = this.up[above]) {
      const number = this.numbers.get(above);
      if (number !== undefined) return [number, above === at ? -1 : this.nth[below]];
      below = above;
    }
    return [0, -1];
  }
}

/** What a reader chose in an outline, by the numbers of branches. */
class Choices {
  /**
   * @param {Outline} outline
   * @param {LiveModel} model
   * @param {number} start
   * @param {number} stop
   */
  constructor(outline, model, start, stop) {
    /** @type {[number, boolean | undefined, boolean][]} */
    this.kept = [];
    for (const [at, number] of model.numbers) {
      if (at < start || at >= stop) continue;
      this.kept.push([number, outline.folds.get(at), outline.whole.has(at)]);
    }
  }

  /**
   * @param {Outline} outline
   * @param {LiveModel} model
   */
  restore(outline, model) {
    for (const [number, fold, whole] of this.kept) {
      const at = model.places.get(number);
      if (at === undefined) continue;
      if (fold !== undefined) outline.folds.set(at, fold);
      if (whole) outline.whole.add(at);
    }
  }
}

class LiveView extends View {
  /**
   * @param {HTMLElement} tree
   * @param {LiveModel} model
   * @param {Map<number, Element>} figures
   * @param {(request: object) => void} ask
   */
  constructor(tree, model, figures, ask) {
    super(tree, model, figures, livePictures);
    this.live = model;
    this.ask = ask;
    /** @type {Set<number>} Branches that open when the answer comes. */
    this.wanted = new Set();
    /** @type {number[]} */
    this.selection = [];
    this.selected = -1;
    this.onBuilt = (/** @type {HTMLElement} */ element, /** @type {Row} */ row) => this.markRow(element, row);
  }

  /**
   * @param {Model} model
   * @returns {Outline}
   */
  show(model) {
    const outline = super.show(model);
    if (model instanceof LiveModel) outline.missing = model.before;
    return outline;
  }

  /**
   * Folds a branch, or asks for what is in it.
   * @param {HTMLElement} element
   * @param {boolean} [open]
   * @returns {HTMLElement}
   */
  toggle(element, open) {
    const row = this.rows.get(element);
    const number = row && this.live.numbers.get(row.at);
    if (!row || number === undefined || row.open !== false || open === false) return super.toggle(element, open);
    element.setAttribute("aria-busy", "true");
    this.wanted.add(number);
    this.ask({ kind: "open", part: number });
    return element;
  }

  /** Opens what is known of branches whose answers do not come. */
  openKnown() {
    for (const number of this.wanted) {
      const element = this.elements.get(this.live.places.get(number) ?? -1);
      element?.removeAttribute("aria-busy");
      if (element) super.toggle(element, true);
    }
    this.wanted.clear();
  }

  /** @param {HTMLElement} element */
  showRest(element) {
    const row = this.rows.get(element);
    const number = row && this.live.numbers.get(row.at);
    if (!row || number === undefined) return super.showRest(element);
    const isBefore = row.kind === "before" && !this.outline.from.has(row.at);
    const isAfter = row.kind === "rest" && (row.start ?? 0) >= this.live.shape(row.at).count;
    if (!isBefore && !isAfter) return super.showRest(element);
    element.setAttribute("aria-busy", "true");
    this.ask({ kind: "more", part: number, before: isBefore });
  }

  /**
   * Shows what a branch is now.
   * @param {number} number
   * @param {LiveModel} part
   * @param {Map<number, Element>} figures
   */
  replacePart(number, part, figures) {
    const { live, outline } = this;
    const start = live.places.get(number);
    if (start === undefined) return;
    const stop = live.next[start];
    const element = this.elements.get(start);
    const row = element && this.rows.get(element);
    const lines = this.list.childElementCount;
    const active = this.active && this.rows.get(this.active);
    const isInside = active !== null && active !== undefined && active.at >= start && active.at < stop;
    const position = active && active.kind !== "node" ? (active.start ?? 0) : -1;
    const hadFocus = isInside && this.list.contains(focusOf(this.list));
    if (element && row?.open) this.removeInside(element, row);
    const choices = new Choices(outline, live, start, stop);
    const firstLeaf = live.header.leaves.length;
    const by = live.replace(start, part);
    for (const [at, figure] of figures) this.figures.set(at + firstLeaf, figure);
    this.shift(start, stop, by);
    const { opened } = part.header;
    for (let at = 0; at + 1 < opened.length; at += 2) {
      outline.opened.add(opened[at] + start);
      outline.shown.set(opened[at] + start, opened[at + 1]);
    }
    choices.restore(outline, live);
    if (this.wanted.delete(number)) outline.folds.set(start, true);
    else if (row?.open === false) outline.folds.set(start, false);
    this.selected = live.find(this.selection);
    if (element && row) this.rebuild(element, row, lines);
    if (isInside) {
      const line = position >= 0 ? this.elements.get(live.find([number, position])) : undefined;
      this.activate(line ?? this.elements.get(start) ?? this.first(), hadFocus);
    }
    this.onChanged?.();
  }

  /**
   * Builds the line of a branch and those in it.
   * @param {HTMLElement} element
   * @param {Row} row
   * @param {number} lines How many there are to be in the whole tree, as far as there are so many.
   */
  rebuild(element, row, lines) {
    const now = this.outline.row(row.at, row.level);
    const changed = this.build(now);
    element.replaceWith(changed);
    if (this.active === element) this.activate(changed, false);
    if (!now.open || !this.live.isBranch(row.at)) return;
    const mark = this.mark(Stream.inside(this.outline, row.at, row.level));
    changed.after(mark);
    this.extend(mark, FIRST);
    while (mark.isConnected && this.list.childElementCount < lines) this.extend(mark, MORE);
  }

  /**
   * Takes along what is known of the lines after a branch.
   * @param {number} start
   * @param {number} stop
   * @param {number} by
   */
  shift(start, stop, by) {
    const { outline } = this;
    /** @type {Map<number, any>[]} */
    const maps = [outline.folds, outline.shown, outline.from];
    for (const map of maps) shiftLines(map, start, stop, by);
    for (const name of /** @type {const} */ (["whole", "opened"])) {
      const kept = [...outline[name]].filter((at) => at < start || at >= stop);
      outline[name] = new Set(kept.map((at) => (at < start ? at : at + by)));
    }
    shiftLines(this.elements, start + 1, stop, by);
    for (const element of this.list.children) {
      const row = this.rows.get(element);
      if (row && row.at >= stop) row.at += by;
      for (const frame of this.marks.get(element)?.frames ?? []) {
        if (frame.at >= stop) frame.at += by;
        if (frame.child >= stop) frame.child += by;
      }
    }
  }

  /**
   * Shows another document, with the same parts open.
   * @param {LiveModel} model
   * @param {Map<number, Element>} figures
   */
  exchange(model, figures) {
    const choices = new Choices(this.outline, this.live, 0, this.live.size);
    const lines = this.list.childElementCount;
    const active = this.active && this.rows.get(this.active);
    const place = active ? this.live.place(active.at) : [0, -1];
    const hadFocus = this.list.contains(focusOf(this.list));
    this.live = model;
    Object.assign(this, { figures, active: null });
    choices.restore(this.show(model), model);
    this.selected = model.find(this.selection);
    this.render();
    let last = this.list.lastElementChild;
    while (last instanceof HTMLElement && this.marks.has(last) && this.list.childElementCount < lines) {
      this.extend(last, MORE);
      last = this.list.lastElementChild;
    }
    this.activate(this.elements.get(model.find(place)) ?? this.first(), hadFocus);
  }

  /**
   * Marks the line of the selected node.
   * @param {number[]} place
   */
  select(place) {
    this.selection = place;
    this.selected = place.length > 0 ? this.live.find(place) : -1;
    for (const element of this.items()) {
      const row = this.rows.get(element);
      if (row) this.markSelected(element, row);
    }
  }

  /**
   * @param {HTMLElement} element
   * @param {Row} row
   */
  markSelected(element, row) {
    const { live, selected } = this;
    let isSelected = row.kind === "node" && row.at === selected;
    if (row.kind === "node" && row.open !== true) isSelected ||= selected > row.at && selected < live.next[row.at];
    const child = selected - row.at - 1;
    if (row.kind === "cells") isSelected = child >= (row.start ?? 0) && child < (row.stop ?? 0);
    element.classList.toggle("tv-chosen", isSelected);
    element.setAttribute("aria-selected", String(isSelected));
  }

  /**
   * @param {HTMLElement} element
   * @param {Row} row
   */
  markRow(element, row) {
    this.markSelected(element, row);
    const { marks } = this.live;
    if (marks.size === 0) return;
    /** @type {News[]} */
    const found = [];
    if (row.kind === "cells") {
      for (let child = row.start ?? 0; child < (row.stop ?? 0); child += 1) {
        const mark = marks.get(row.at + 1 + child);
        if (mark) found.push({ ...mark, text: `[${child}] ${mark.text}` });
      }
    } else if (row.kind === "node") {
      const mark = marks.get(row.at);
      if (mark && !(mark.kind === "inside" && row.open)) found.push(mark);
    }
    const [first] = found;
    if (!first) return;
    const words = found.map(({ text }) => text);
    element.classList.add(`tv-${first.kind}`);
    element.dataset.said = words.length > 3 ? `${words.slice(0, 3).join(", ")}, …` : words.join(", ");
    element.setAttribute("aria-description", element.dataset.said);
  }
}

/**
 * The element that has the focus in the document or shadow tree around an element.
 * @param {Element} element
 */
function focusOf(element) {
  const root = element.getRootNode();
  return root instanceof ShadowRoot || root instanceof Document ? root.activeElement : null;
}

/** @type {CellSource[]} What is known of the cells of pictures, one for each message. */
const sources = [];

/** Makes pictures live, as those of pages. @type {Pictures} */
const livePictures = {
  loaded: async () => undefined,
  mount: (figure) => {
    const source = sources[Number(figure.dataset.source)];
    if (source && "g" in figure.dataset) new LivePicture(figure, source);
  },
  build: () => null,
};

/**
 * Pictures and rich output by the position of their leaf. Templates run no scripts and load nothing.
 * @param {string} html
 */
function readFigures(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  /** @type {Map<number, Element>} */
  const figures = new Map();
  const cells = holder.content.querySelector("script.tv-cells");
  if (cells) sources.push(new CellSource(cells));
  for (const { content } of holder.content.querySelectorAll("template")) {
    for (const figure of content.querySelectorAll("[data-v]")) {
      if (cells) figure.setAttribute("data-source", String(sources.length - 1));
      figures.set(Number(figure.getAttribute("data-v")), figure);
    }
  }
  return figures;
}

/** One view of a widget. */
class Live {
  /**
   * @param {Host} host
   * @param {HTMLElement} tree
   */
  constructor(host, tree) {
    this.host = host;
    /** What tells this view from others of the same widget. */
    this.view = Math.floor(Math.random() * 2 ** 31);
    this.serial = 0;
    this.count = 0;
    this.current = -1;
    this.waiting = 0;
    this.isChoosing = false;
    this.said = document.createElement("span");
    this.said.setAttribute("role", "status");
    const first = JSON.parse(String(host.get("_first")));
    const model = new LiveModel(String(first.payload));
    this.shown = new LiveView(tree, model, readFigures(String(first.figures)), (request) => this.ask(request));
    tree.append(this.bar(), this.shown.list);
    addActions(this.shown, null);
    addKeys(this.shown);
    this.listen();
    this.shown.select(/** @type {number[]} */ (host.get("_selection")));
    /** @type {(() => void) | null} */
    this.unfollow = null;
    /** @type {Answer[]} What came while the tree was not on the page. */
    this.missed = [];
    // Notebooks make views before they put them on the page, and take off what is out of sight.
    this.watcher = new IntersectionObserver(() => this.resume());
    this.watcher.observe(tree);
    requestAnimationFrame(() => this.resume());
    this.resume();
    this.ask({ kind: "hello", version: first.version });
  }

  /** Builds what could not be built as long as the tree was not on the page. */
  resume() {
    const { tree } = this.shown;
    if (!tree.isConnected) return;
    if (!("ready" in tree.dataset)) {
      if (tree.getRootNode() instanceof ShadowRoot) this.unfollow = followTheme(tree);
      this.shown.render();
      tree.dataset.ready = "";
    }
    for (const answer of this.missed.splice(0)) this.take(answer);
  }

  /** Hands back what this view selected: marimo runs cells again for what views say, not kernels. */
  confirm() {
    if (!this.isChoosing) return;
    this.isChoosing = false;
    this.host.set("selected_path", this.host.get("selected_path"));
    this.host.save_changes();
  }

  /** Ends the view. */
  stop() {
    clearTimeout(this.waiting);
    this.watcher.disconnect();
    this.shown.watcher.disconnect();
    this.unfollow?.();
  }

  /**
   * Asks the kernel.
   * @param {object} request
   */
  ask(request) {
    try {
      this.host.send(request);
    } catch {
      this.giveUp();
      return;
    }
    // A view may be up to date already, and what is selected comes another way.
    if ("kind" in request && (request.kind === "hello" || request.kind === "select")) return;
    this.waiting ||= setTimeout(() => this.giveUp(), ANSWER);
  }

  giveUp() {
    this.waiting = 0;
    this.say(GONE);
    this.shown.openKnown();
  }

  /** @param {string} text */
  say(text) {
    this.said.textContent = text;
  }

  /** @param {Answer} answer */
  take(answer) {
    clearTimeout(this.waiting);
    this.waiting = 0;
    if (this.said.textContent === GONE) this.say("");
    const { shown } = this;
    if (!("ready" in shown.tree.dataset) || !shown.tree.isConnected) {
      this.missed.push(answer);
      return;
    }
    if (answer.kind === "part" || answer.kind === "tree") {
      const model = new LiveModel(String(answer.payload));
      const figures = readFigures(String(answer.figures));
      if (answer.kind === "tree") shown.exchange(model, figures);
      else shown.replacePart(Number(answer.part), model, figures);
      if (answer.said !== undefined) this.say(answer.said);
    } else if (answer.kind === "reveal") {
      this.reveal(answer.place ?? []);
    } else if (answer.kind === "failed") {
      this.fail(Number(answer.part), String(answer.text));
    } else if (answer.view === this.view && answer.kind === "found" && answer.serial === this.serial) {
      this.found(answer);
    } else if (answer.view === this.view && answer.kind === "hit") {
      this.current = answer.hit ?? 0;
      this.say(`${(this.current + 1).toLocaleString("en-US")} of ${this.count.toLocaleString("en-US")}`);
      this.reveal(answer.place ?? [], false);
    }
  }

  /**
   * Leads to a place of the tree.
   * @param {readonly number[]} place
   * @param {boolean} [focus] Whether the keyboard goes there, too.
   */
  reveal(place, focus = false) {
    const at = this.shown.live.find(place);
    const line = at < 0 ? null : this.shown.reveal(at);
    if (!line) return;
    for (const old of this.shown.list.querySelectorAll(".tv-flash")) old.classList.remove("tv-flash");
    this.shown.activate(line, focus);
    line.scrollIntoView({ block: "nearest" });
    line.classList.add("tv-flash");
  }

  /**
   * Says in a line what went wrong there.
   * @param {number} number
   * @param {string} text
   */
  fail(number, text) {
    this.shown.wanted.delete(number);
    const line = this.shown.elements.get(this.shown.live.places.get(number) ?? -1);
    if (!line) {
      this.say(text);
      return;
    }
    line.removeAttribute("aria-busy");
    line.dataset.said = text;
    line.classList.add("tv-failed");
    line.setAttribute("aria-description", text);
  }

  /** @param {Answer} answer */
  found(answer) {
    this.count = answer.count ?? 0;
    this.current = -1;
    const count = this.count.toLocaleString("en-US");
    const searched = (answer.searched ?? 0).toLocaleString("en-US");
    const part = answer.all ? "" : ` in the first ${searched} values`;
    this.say(`${this.count === 1 ? "1 value matches" : `${count} values match`}${part}`);
    if (this.count > 0) this.go(1);
  }

  /** @param {number} by */
  go(by) {
    if (this.count === 0) return;
    const next = this.current < 0 && by < 0 ? this.count - 1 : (this.current + by + this.count) % this.count;
    this.ask({ kind: "hit", view: this.view, hit: next });
  }

  /** @param {string} text */
  search(text) {
    this.serial += 1;
    this.count = 0;
    this.current = -1;
    this.say("");
    if (text.trim() === "") return;
    this.ask({ kind: "search", view: this.view, serial: this.serial, text });
  }

  /** The controls above the tree. */
  bar() {
    const bar = document.createElement("div");
    bar.className = "tv-bar";
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", "Search");
    const field = document.createElement("input");
    field.type = "search";
    field.placeholder = "Search, type:…, path:…";
    field.setAttribute("aria-label", "Search: words, type:name, path:text, dtype:name, shape:sizes, -word");
    let timer = 0;
    let sought = "";
    const start = () => {
      clearTimeout(timer);
      sought = field.value;
      this.search(field.value);
    };
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(start, PAUSE);
    });
    field.addEventListener("keydown", (event) => {
      event.stopPropagation(); // a notebook has meanings of its own for keys
      if (event.key === "Escape") field.value = "";
      if (event.key === "Escape" || (event.key === "Enter" && sought !== field.value)) start();
      else if (event.key === "Enter") this.go(event.shiftKey ? -1 : 1);
    });
    bar.append(
      field,
      makeButton("‹", () => this.go(-1), "Previous match"),
      makeButton("›", () => this.go(1), "Next match"),
      this.said,
    );
    return bar;
  }

  /** Selects on click and Enter; the arrow of a line only folds. */
  listen() {
    const { shown } = this;
    shown.list.addEventListener("click", (event) => {
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
      else this.choose(line, row, nodeAt(shown, target, line));
    });
    // Before the keys of the tree, for which Enter folds.
    shown.list.addEventListener(
      "keydown",
      (event) => {
        const line = event.target; // pictures in lines have keys of their own
        const row = line instanceof HTMLElement ? shown.rows.get(line) : undefined;
        if (event.key !== "Enter" || !(line instanceof HTMLElement) || !row) return;
        if (row.kind === "rest" || row.kind === "before" || event.ctrlKey || event.metaKey || event.altKey) return;
        this.choose(line, row, nodeAt(shown, line, line));
        event.preventDefault();
        event.stopPropagation();
      },
      { capture: true },
    );
  }

  /**
   * Selects a node. A folded branch opens; one that is selected already folds and unfolds.
   * @param {HTMLElement} line
   * @param {Row} row
   * @param {number} at
   */
  choose(line, row, at) {
    const { shown } = this;
    if (at < 0) return;
    const [part, child] = shown.live.place(at);
    const isChosen = part === shown.selection[0] && child === shown.selection[1];
    this.isChoosing ||= !isChosen;
    if (!isChosen) this.ask({ kind: "select", part, child });
    if (row.open === false || isChosen) shown.toggle(line);
  }
}

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
