// The tree on the page: one element per line, all of them in one flat list, whatever the depth.
// Folding takes out and puts in the lines between a branch and its end. Where a stream stopped
// there is a mark, and when that comes near the visible part of the page the stream goes on.

const FIRST = 250;
const MORE = 200;
const SEARCHED = 2_000;
const DEEP = 20_000;

/** @typedef {{stream: Stream}} Mark */

/** What `pictures.js` offers. */
/** @typedef {{loaded(): Promise<void>, mount(figure: HTMLElement): void, build(view: number): HTMLElement | null}} Pictures */

class View {
  /**
   * @param {HTMLElement} tree The wrapper.
   * @param {Model} model
   * @param {Map<number, Element>} figures Pictures and rich output, by position of their leaf.
   * @param {Pictures} [pictures] What makes pictures live.
   */
  constructor(tree, model, figures, pictures) {
    this.tree = tree;
    this.figures = figures;
    this.pictures = pictures;
    this.list = document.createElement("div");
    this.list.className = "tv-list";
    this.list.setAttribute("role", "tree");
    this.list.setAttribute("aria-label", "Structure of the value");
    /** @type {WeakMap<Element, Row>} */
    this.rows = new WeakMap();
    /** @type {WeakMap<Element, Stream>} */
    this.marks = new WeakMap();
    /** @type {Map<number, HTMLElement>} The line of each node that is built. */
    this.elements = new Map();
    /** @type {HTMLElement | null} The line that the keyboard is at. */
    this.active = null;
    /** @type {((element: HTMLElement, row: Row) => void) | null} */
    this.onBuilt = null;
    /** @type {(() => void) | null} */
    this.onChanged = null;
    this.watcher = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          if (isIntersecting && target instanceof HTMLElement) this.extend(target, MORE);
        }
      },
      { rootMargin: "800px" },
    );
    /** @type {Outline} */
    this.outline = this.show(model);
  }

  /**
   * Takes another document.
   * @param {Model} model
   * @returns {Outline}
   */
  show(model) {
    const outline = new Outline(model);
    outline.isForeign = (at) => this.figure(at)?.classList.contains("tv-rich") ?? false;
    this.outline = outline;
    return outline;
  }

  /** @param {number} at */
  figure(at) {
    return this.figures.get(this.outline.model.special(at)?.view ?? -1);
  }

  /**
   * Builds all lines anew.
   * @param {number} [target] A node whose line must be among them.
   */
  render(target) {
    const focused = this.list.contains(document.activeElement);
    const at = target ?? (this.active && this.rows.get(this.active)?.at) ?? 0;
    this.fill(Stream.all(this.outline), target);
    if (target !== undefined && !this.elements.has(target)) {
      for (const inner of [target, ...this.outline.model.ancestors(target)]) {
        const above = this.outline.model.up[inner];
        const position = this.outline.model.nth[inner];
        if (above >= 0 && position > 0) this.outline.from.set(above, position);
      }
      this.fill(Stream.all(this.outline), target, DEEP);
    }
    this.activate(this.elements.get(at) ?? this.first(), focused);
    this.onChanged?.();
  }

  /**
   * @param {Stream} stream
   * @param {number} [target] A node whose line is wanted.
   * @param {number} [most] How many lines to build until it is found.
   */
  fill(stream, target, most = SEARCHED) {
    this.watcher.disconnect();
    this.elements.clear();
    this.list.replaceChildren();
    const mark = this.mark(stream);
    this.list.append(mark);
    this.extend(mark, FIRST);
    for (let built = FIRST; target !== undefined && built < most; built += FIRST) {
      if (this.elements.has(target) || !mark.isConnected) break;
      this.extend(mark, FIRST);
    }
  }

  /** @param {Stream} stream */
  mark(stream) {
    const mark = document.createElement("div");
    mark.className = "r tv-more";
    mark.setAttribute("aria-hidden", "true");
    mark.textContent = ELLIPSIS;
    this.marks.set(mark, stream);
    return mark;
  }

  /**
   * Puts more lines before a mark, and takes the mark away after the last.
   * @param {HTMLElement} mark
   * @param {number} count
   */
  extend(mark, count) {
    const stream = this.marks.get(mark);
    if (!stream || !mark.isConnected) return;
    const rows = stream.pull(count);
    mark.before(...rows.map((row) => this.build(row)));
    this.watcher.unobserve(mark);
    if (stream.done) mark.remove();
    else this.watcher.observe(mark);
  }

  /**
   * The element of a line.
   * @param {Row} row
   * @returns {HTMLElement}
   */
  build(row) {
    const { outline } = this;
    const { model } = outline;
    const element = document.createElement("div");
    const indent = Math.min(row.level, outline.deepest);
    element.className = "r";
    element.style.setProperty("--d", String(indent));
    this.tint(element, row);
    const margin = document.createElement("i");
    const spans = rowSpans(outline, row);
    margin.textContent = spans.length > 0 ? "  ".repeat(indent) : "";
    element.append(margin);
    const to = row.kind === "node" ? model.special(row.at)?.to : undefined;
    if (to === undefined) addSpans(element, spans);
    else this.addLink(element, row, spans);
    this.rows.set(element, row);
    if (row.kind === "tail") {
      element.setAttribute("aria-hidden", "true");
      return element;
    }
    this.describe(element, row);
    if (row.kind === "node") this.elements.set(row.at, element);
    for (let at = row.start ?? 0; row.kind === "cells" && at < (row.stop ?? 0); at += 1) {
      this.elements.set(row.at + 1 + at, element);
    }
    this.addFigure(element, row, indent);
    this.onBuilt?.(element, row);
    return element;
  }

  /**
   * Says in the terms of ARIA what a line is.
   * @param {HTMLElement} element
   * @param {Row} row
   */
  describe(element, row) {
    const { model } = this.outline;
    element.setAttribute("role", "treeitem");
    element.setAttribute("aria-level", String(row.level + 1));
    element.tabIndex = -1;
    if (row.open !== undefined) {
      element.setAttribute("aria-expanded", String(row.open));
      element.classList.add(row.open ? "tv-open" : "tv-shut");
    }
    if (row.kind === "rest" || row.kind === "before") element.classList.add("tv-rest");
    const parent = row.kind === "node" ? model.up[row.at] : -1;
    if (parent >= 0 && this.outline.kept === null) {
      element.setAttribute("aria-setsize", String(model.shape(parent).count));
      element.setAttribute("aria-posinset", String(model.nth[row.at] + 1));
    }
    const totals = row.kind === "node" ? model.totals.get(row.at) : undefined;
    if (totals) element.dataset.totals = totals;
  }

  /**
   * Draws the guides of the branches that have a colour of their own.
   * @param {HTMLElement} element
   * @param {Row} row
   */
  tint(element, row) {
    const { model, deepest } = this.outline;
    const own = row.kind === "node" && model.isBranch(row.at) ? model.shape(row.at).color : undefined;
    if (own) element.style.setProperty("--tv-c", own);
    const guides = [];
    let level = row.level;
    const isInside = row.kind === "cells" || row.kind === "rest" || row.kind === "before";
    for (let at = isInside ? row.at : model.up[row.at]; at >= 0; at = model.up[at]) {
      level -= 1;
      const { color } = model.shape(at);
      if (!color || level > deepest) continue;
      guides.push(`linear-gradient(${color} 0 0) no-repeat calc(${2 * level}ch + 2.2ch) 0 / 2px 100%`);
    }
    if (guides.length > 0) element.style.setProperty("--tv-g", guides.join(","));
  }

  /**
   * @param {HTMLElement} element
   * @param {Row} row
   * @param {Span[]} spans
   */
  addLink(element, row, spans) {
    const { model } = this.outline;
    const parent = model.up[row.at];
    const before = parent < 0 ? 0 : model.label(parent, model.nth[row.at]).length;
    const text = model.spans(row.at).length;
    const link = document.createElement("a");
    link.href = "#";
    link.tabIndex = -1;
    addSpans(link, spans.slice(before, before + text));
    addSpans(element, spans.slice(0, before));
    element.append(link);
    addSpans(element, spans.slice(before + text));
  }

  /**
   * @param {HTMLElement} element
   * @param {Row} row
   * @param {number} indent
   */
  addFigure(element, row, indent) {
    const view = row.kind === "node" ? this.outline.model.special(row.at)?.view : undefined;
    if (view === undefined || row.open === false) return;
    const copy = this.figures.get(view)?.cloneNode(true);
    const figure = copy ?? this.pictures?.build(view);
    if (!(figure instanceof HTMLElement)) return;
    figure.style.setProperty("--d", String(indent));
    element.append(figure);
    if (copy) this.pictures?.mount(figure);
  }

  /** The first line. */
  first() {
    return this.items()[0] ?? null;
  }

  /** All lines that the keyboard can reach, from top to bottom. @returns {HTMLElement[]} */
  items() {
    return [...this.list.querySelectorAll(":scope > [role=treeitem]")].filter(isElement);
  }

  /**
   * The next line that the keyboard can reach, in one direction.
   * @param {HTMLElement} element
   * @param {boolean} forward
   * @returns {HTMLElement | null}
   */
  neighbour(element, forward) {
    let next = forward ? element.nextElementSibling : element.previousElementSibling;
    while (next instanceof HTMLElement) {
      if (this.marks.has(next)) {
        const before = next.previousElementSibling;
        this.extend(next, MORE);
        next = before?.nextElementSibling ?? null;
        continue;
      }
      if (next.getAttribute("role") === "treeitem") return next;
      next = forward ? next.nextElementSibling : next.previousElementSibling;
    }
    return null;
  }

  /**
   * Makes a line the one that the keyboard is at.
   * @param {HTMLElement | null} element
   * @param {boolean} [focus]
   */
  activate(element, focus = true) {
    if (!element) return;
    if (this.active) this.active.tabIndex = -1;
    this.active = element;
    element.tabIndex = 0;
    // Else Notebook takes keys before they come here: x would cut the cell.
    element.setAttribute("data-lm-suppress-shortcuts", "");
    if (!focus) return;
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest" });
  }

  /**
   * Folds or unfolds the branch of a line.
   * @param {HTMLElement} element
   * @param {boolean} [open]
   * @returns {HTMLElement} The line as it is now.
   */
  toggle(element, open) {
    const row = this.rows.get(element);
    if (!row || row.open === undefined || row.open === open) return element;
    this.outline.folds.set(row.at, !row.open);
    const isActive = this.active === element;
    const hadFocus = document.activeElement === element;
    if (row.open) this.removeInside(element, row);
    const changed = this.build(this.outline.row(row.at, row.level));
    element.replaceWith(changed);
    if (!row.open && this.outline.model.isBranch(row.at)) {
      const mark = this.mark(Stream.inside(this.outline, row.at, row.level));
      changed.after(mark);
      this.extend(mark, FIRST);
    }
    if (isActive) this.activate(changed, hadFocus);
    this.onChanged?.();
    return changed;
  }

  /**
   * Takes out the lines between a branch and the line after it.
   * @param {HTMLElement} element
   * @param {Row} row
   */
  removeInside(element, row) {
    if (!this.outline.model.isBranch(row.at)) return;
    let next = element.nextElementSibling;
    while (next instanceof HTMLElement) {
      const following = next.nextElementSibling;
      const stream = this.marks.get(next);
      if (stream) {
        this.watcher.unobserve(next);
        // A mark inside may stand for what follows the branch, too.
        const outer = stream.frames.some((frame) => frame.level < row.level);
        stream.drop(row.at);
        if (!outer) next.remove();
        else this.watcher.observe(next);
        if (outer) return;
      } else {
        const inner = this.rows.get(next);
        const ends = inner?.kind === "tail" && inner.at === row.at;
        if (!inner || (inner.level <= row.level && !ends)) return;
        this.forget(inner);
        next.remove();
        if (ends) return;
      }
      next = following;
    }
  }

  /** @param {Row} row */
  forget(row) {
    if (row.kind === "node") this.elements.delete(row.at);
    for (let at = row.start ?? 0; row.kind === "cells" && at < (row.stop ?? 0); at += 1) {
      this.elements.delete(row.at + 1 + at);
    }
  }

  /**
   * Shows the children that a line counts.
   * @param {HTMLElement} element
   */
  showRest(element) {
    const row = this.rows.get(element);
    if (!row) return;
    const { outline } = this;
    const { model } = outline;
    if (row.kind === "before") {
      outline.from.set(row.at, Math.max((row.start ?? 0) - LOOK, 0));
      this.render();
      return;
    }
    const start = row.start ?? 0;
    if (start >= model.shape(row.at).count) return;
    outline.whole.add(row.at);
    const hadFocus = document.activeElement === element;
    const mark = this.mark(Stream.rest(outline, row.at, row.level - 1, start));
    element.replaceWith(mark);
    const before = mark.previousElementSibling;
    this.extend(mark, FIRST);
    const first = before?.nextElementSibling;
    if (first instanceof HTMLElement) this.activate(first, hadFocus);
    this.onChanged?.();
  }

  /**
   * Opens what a node stands in, and returns its line.
   * @param {number} at
   * @returns {HTMLElement | null}
   */
  reveal(at) {
    const { outline } = this;
    const { model } = outline;
    let shown = at;
    for (const above of model.ancestors(at)) {
      const level = model.level(above);
      if (model.isBranch(above) && outline.kept === null) {
        const flat = outline.flat(above, level);
        // What stands on one line stays there; the line is that of the outermost such branch.
        if (flat !== null && !outline.isOpen(above, level, true)) shown = above;
        else if (!outline.isOpen(above, level, false)) outline.folds.set(above, true);
      } else if (!outline.isOpen(above, level, false)) {
        outline.folds.set(above, true);
      }
    }
    for (const inner of [shown, ...model.ancestors(shown)]) {
      const above = model.up[inner];
      const position = model.nth[inner];
      if (above < 0) continue;
      if (position >= outline.stop(above)) outline.whole.add(above);
      if (position < (outline.from.get(above) ?? 0)) outline.from.delete(above);
    }
    if (!this.elements.has(shown)) this.render(shown);
    return this.elements.get(shown) ?? null;
  }

  /**
   * Leads the eye to a line.
   * @param {HTMLElement | null} element
   */
  flash(element) {
    if (!element) return;
    this.activate(element);
    element.scrollIntoView({ block: "center" });
    element.classList.remove("tv-flash");
    void element.offsetWidth; // or the animation would not start again
    element.classList.add("tv-flash");
  }
}

/**
 * @param {Element} element
 * @returns {element is HTMLElement}
 */
const isElement = (element) => element instanceof HTMLElement;

/**
 * Appends styled text. It only ever becomes text.
 * @param {Element} element
 * @param {Span[]} spans
 */
function addSpans(element, spans) {
  for (const [text, style] of spans) {
    if (style === "") {
      element.append(text);
      continue;
    }
    const piece = document.createElement("b");
    if (style !== "n") piece.className = style;
    piece.textContent = text;
    element.append(piece);
  }
}
