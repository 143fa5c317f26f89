// Pictures of arrays that tell their values: under the pointer, at a click, and at a cell that the
// arrow keys move. Sliders choose a slice, and a click on a value may spread the colours around it.
// Without this the pictures are images.

/** One figure: a canvas, a ring around the chosen cell, a line of text below. */
class LivePicture {
  /**
   * @param {HTMLElement} figure
   * @param {CellSource} source
   */
  constructor(figure, source) {
    this.figure = figure;
    this.spots = new Spots(source, figure.dataset.v ?? "");
    const image = figure.querySelector("img, canvas");
    const canvas = image instanceof HTMLCanvasElement ? image : made("canvas");
    this.recoloring = new Recoloring(figure, this.spots);
    this.painter = new Painter(canvas, this.spots, this.recoloring);
    this.stage = made("div", "tv-pic");
    this.ring = made("div", "tv-ring");
    this.line = made("span", "tv-told");
    this.foot = made("div", "tv-foot");
    this.zoom = new Zoom(this);
    /** @type {Spot | null} */
    this.pinned = null;
    /** Shows the slice that the sliders choose. */
    this.moved = () => {
      this.painter.redraw();
      if (!this.pinned) return;
      this.pinned = this.spots.of(this.pinned.number, this.pinned.row, this.pinned.column);
      void this.tell(this.pinned, false);
    };
    if (image instanceof HTMLElement) this.dress(image, canvas);
    this.listen();
    if (figure.dataset.g) void addSliders(this);
  }

  /**
   * Puts the stage into the place of the image.
   * @param {HTMLElement} image
   * @param {HTMLCanvasElement} canvas
   */
  dress(image, canvas) {
    const { stage, ring, line, foot, figure } = this;
    stage.tabIndex = 0;
    stage.setAttribute("data-lm-suppress-shortcuts", ""); // as in view.js
    stage.setAttribute("role", "application");
    stage.setAttribute("aria-roledescription", "picture of an array");
    stage.setAttribute("aria-label", image.getAttribute("alt") ?? image.getAttribute("aria-label") ?? "");
    stage.setAttribute("aria-description", "Arrow keys move from value to value, + and - change the size of cells.");
    stage.style.cssText = image.style.cssText;
    ring.hidden = true;
    line.setAttribute("role", "status");
    line.setAttribute("aria-live", "polite");
    image.replaceWith(stage);
    image.style.cssText = canvas.style.cssText = "";
    canvas.setAttribute("aria-hidden", "true");
    canvas.removeAttribute("aria-label");
    stage.append(image, ring);
    const caption = figure.querySelector(":scope > figcaption");
    foot.append(this.zoom.box, line);
    if (caption) caption.before(foot);
    else figure.append(foot);
    if (!(image instanceof HTMLImageElement)) return;
    const draw = () => {
      this.painter.take(image);
      image.replaceWith(canvas);
      this.painter.redraw();
    };
    image.decode().then(draw, () => {});
  }

  listen() {
    const { stage } = this;
    stage.addEventListener("pointermove", (event) => void this.point(event));
    stage.addEventListener("pointerleave", () => void this.tell(this.pinned, false));
    stage.addEventListener("click", (event) => {
      event.stopPropagation(); // a tree around would take the focus
      void this.point(event, true);
    });
    stage.addEventListener("dblclick", () => this.reset());
    stage.addEventListener("keydown", (event) => {
      if (event.ctrlKey && event.key === "c" && getSelection()?.isCollapsed) {
        void navigator.clipboard?.writeText(this.line.textContent ?? "");
        event.stopPropagation();
        return;
      }
      const size = ZOOM_KEYS.indexOf(event.key);
      if (event.metaKey || event.altKey || (size < 0 ? !CELL_KEYS.has(event.key) : event.ctrlKey)) return;
      event.preventDefault();
      event.stopPropagation(); // a tree or a notebook has meanings of its own for these keys
      void (size < 0 ? this.press(event.key, event.ctrlKey) : this.zoom.step(Math.min(size, 2) - 1));
    });
    stage.addEventListener("focus", () => {
      if (!this.pinned && stage.matches(":focus-visible")) void this.press("", false);
    });
  }

  /**
   * The cell under the pointer.
   * @param {MouseEvent} event
   */
  spotAt(event) {
    const box = this.stage.getBoundingClientRect();
    const { width, height } = this.painter.canvas;
    const x = Math.floor(((event.clientX - box.left) / box.width) * width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * height);
    return this.spots.at(x, y);
  }

  /**
   * Shows a cell and what it holds.
   * @param {Spot | null} spot
   * @param {boolean} [aloud] Whether a screen reader is to read it.
   */
  async tell(spot, aloud = true) {
    const { line, ring, spots, painter } = this;
    await spots.source.load();
    line.setAttribute("aria-live", aloud ? "polite" : "off");
    line.textContent = spot ? spots.words(spot, painter.colorAt) : "";
    const grid = spot && spots.grids[spot.number];
    ring.hidden = !grid || spot.row < 0;
    if (!grid || ring.hidden) return;
    const { x, y } = spots.corner(grid, spot);
    const { width, height } = painter.canvas;
    const percent = (/** @type {number} */ part, /** @type {number} */ whole) => `${(100 * part) / whole}%`;
    Object.assign(ring.style, {
      left: percent(x, width),
      top: percent(y, height),
      width: percent(grid.cell, width),
      height: percent(grid.cell, height),
    });
  }

  /**
   * @param {MouseEvent} event
   * @param {boolean} [keep] Whether the cell stays chosen.
   */
  async point(event, keep = false) {
    await this.spots.source.load();
    const spot = this.spotAt(event);
    if (keep) {
      this.pinned = spot;
      if (spot) this.recolor(spot);
    }
    await this.tell(spot ?? this.pinned, keep);
  }

  /**
   * Moves the chosen cell, or does with it what a click does.
   * @param {string} key
   * @param {boolean} far
   */
  async press(key, far) {
    await this.spots.source.load();
    if (this.spots.grids.length === 0) return;
    if (key === "Escape") {
      this.reset();
      return;
    }
    if (this.pinned && (key === "Enter" || key === " ")) this.recolor(this.pinned);
    this.pinned = this.spots.moved(this.pinned, key, far);
    await this.tell(this.pinned);
  }

  /** @param {Spot} spot */
  recolor(spot) {
    if (this.recoloring.choose(spot)) this.painter.redraw();
  }

  /** Lets go of the chosen cell, and takes the colours back. */
  reset() {
    this.pinned = null;
    if (this.recoloring.reset()) this.painter.redraw();
    void this.tell(null);
  }
}

/**
 * What the script of the tree asks of the pictures.
 * @param {HTMLElement} tree
 */
function picturesOf(tree) {
  const [shown, more] = ["tv-cells", "tv-more-cells"].map(
    // Outputs of notebooks hold their markup in `pre`, where the first of these stands, too.
    (name) => new CellSource(tree.querySelector(`:scope > script.${name}, :scope > pre > script.${name}`)),
  );
  return {
    /** Resolves when the pictures can be built. */
    loaded: async () => void (more?.element && (await more.load())),
    /** Makes the copy of a figure live. @param {HTMLElement} figure */
    mount: (figure) => {
      if (shown && "g" in figure.dataset) new LivePicture(figure, shown);
    },
    /** A picture that no markup shows. @param {number} view */
    build: (view) => {
      const described = more?.data?.header.views[view]?.figure;
      if (!more?.data || !described) return null;
      const figure = buildElement(described);
      const canvas = figure.querySelector("canvas");
      if (canvas) drawPixels(more.data, String(view), canvas);
      if ("g" in figure.dataset) new LivePicture(figure, more);
      return figure;
    },
  };
}

/** @param {HTMLElement} tree */
function startPictures(tree) {
  tree.dataset.pictures = "";
  if (tree.querySelector(":scope > script.tv-data")) {
    // The tree builds its lines anew, and asks for the pictures then.
    Object.assign(tree, { treeviewPictures: picturesOf(tree) });
    return;
  }
  const sources = [...tree.querySelectorAll("script.tv-cells")].map((script) => new CellSource(script));
  for (const figure of tree.querySelectorAll("figure[data-g]")) {
    if (!(figure instanceof HTMLElement) || figure.closest(".treeview") !== tree) continue;
    // What belongs to a figure is the next element with values behind it.
    const source = sources.find(
      ({ element }) => element && figure.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING,
    );
    if (source) new LivePicture(figure, source);
  }
}

for (const tree of document.querySelectorAll(".treeview:not([data-pictures])")) {
  if (tree instanceof HTMLElement) startPictures(tree);
}
