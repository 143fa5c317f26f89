// The lines of a live tree: opening a branch asks the kernel; what is selected and new is marked.

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
   * Folds all branches from some level on, and leaves those above as the kernel opened them.
   * @param {number} depth
   */
  unfold(depth) {
    const { live, outline } = this;
    for (const at of live.numbers.keys()) {
      if (live.level(at) < depth) outline.folds.delete(at);
      else outline.folds.set(at, false);
    }
    outline.from.clear();
    this.render();
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
   * @param {boolean} isNew Whether the reader has chosen nothing yet.
   */
  exchange(model, figures, isNew) {
    const choices = new Choices(this.outline, this.live, 0, this.live.size);
    const lines = this.list.childElementCount;
    const active = this.active && this.rows.get(this.active);
    const place = active ? this.live.place(active.at) : [0, -1];
    const hadFocus = this.list.contains(focusOf(this.list));
    this.live = model;
    Object.assign(this, { figures, active: null });
    const outline = this.show(model);
    if (!isNew) choices.restore(outline, model);
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
