// Pictures of arrays that tell their values: under the pointer, at a click, and at a cell that the
// arrow keys move. Sliders choose a slice, and a click on a value may spread the colours around it.
// Without this the pictures are images; nothing but text and pixels is ever made of what it reads.

/** A payload that is unpacked when somebody first asks. */
class CellSource {
  /** @param {Element | null | undefined} element */
  constructor(element) {
    this.element = element;
    /** @type {CellData | null} What was unpacked. */
    this.data = null;
    /** @type {Promise<CellData | null> | null} */
    this.waiting = null;
  }

  /** @returns {Promise<CellData | null>} */
  load() {
    this.waiting ??= this.unpack().catch(() => null);
    return this.waiting;
  }

  /** @returns {Promise<CellData | null>} */
  async unpack() {
    if (!this.element || !("DecompressionStream" in globalThis)) return null;
    const text = String(JSON.parse(this.element.textContent ?? '""'));
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    this.data = readCells(new Uint8Array(await new Response(stream).arrayBuffer()));
    return this.data;
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} [className]
 * @returns {HTMLElementTagNameMap[Name]}
 */
function made(name, className = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  return element;
}

/**
 * One cell, and where it is.
 * @typedef {object} Spot
 * @property {number} number Which grid.
 * @property {Map<number, number>} indices The shown indices by axis.
 * @property {number} row The cell along the rows, or -1 where indices are left out.
 * @property {number} column
 */

/** One figure: a canvas, a ring around the chosen cell, a line of text below. */
class LivePicture {
  /**
   * @param {HTMLElement} figure
   * @param {CellSource} source
   */
  constructor(figure, source) {
    this.figure = figure;
    this.source = source;
    this.view = figure.dataset.v ?? "";
    const image = figure.querySelector("img, canvas");
    this.canvas = image instanceof HTMLCanvasElement ? image : made("canvas");
    this.stage = made("div", "tv-pic");
    this.ring = made("div", "tv-ring");
    this.line = made("div", "tv-told");
    /** @type {Spot | null} */
    this.pinned = null;
    /** @type {ImageData | null} The pixels as they were at first. */
    this.original = null;
    /** @type {number[]} The index of each slider. */
    this.position = [];
    /** @type {{limit: number, spread: number} | null} */
    this.spread = null;
    this.legend = "";
    if (image instanceof HTMLElement) this.dress(image);
    this.listen();
    if (figure.dataset.g) void this.addSliders();
  }

  /**
   * Puts the stage into the place of the image.
   * @param {HTMLElement} image
   */
  dress(image) {
    const { stage, canvas, ring, line, figure } = this;
    stage.tabIndex = 0;
    stage.setAttribute("data-lm-suppress-shortcuts", ""); // as in view.js
    stage.setAttribute("role", "application");
    stage.setAttribute("aria-roledescription", "picture of an array");
    stage.setAttribute("aria-label", image.getAttribute("alt") ?? image.getAttribute("aria-label") ?? "");
    stage.setAttribute("aria-description", "Arrow keys move from value to value.");
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
    if (caption) caption.before(line);
    else figure.append(line);
    if (!(image instanceof HTMLImageElement)) return;
    const draw = () => {
      canvas.width = image.naturalWidth;
      canvas.height = image.naturalHeight;
      this.context()?.drawImage(image, 0, 0);
      image.replaceWith(canvas);
      this.redraw();
    };
    image.decode().then(draw, () => {});
  }

  context() {
    return this.canvas.getContext("2d", { willReadFrequently: true });
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
      if (event.metaKey || event.altKey || !CELL_KEYS.has(event.key)) return;
      event.preventDefault();
      event.stopPropagation(); // a tree or a notebook has meanings of its own for these keys
      void this.press(event.key, event.ctrlKey);
    });
    stage.addEventListener("focus", () => {
      if (!this.pinned && stage.matches(":focus-visible")) void this.press("", false);
    });
  }

  /** The grids of this picture, once they are unpacked. @returns {GridRow[]} */
  get grids() {
    return this.source.data?.header.views[this.view]?.grids ?? [];
  }

  /**
   * The cell under the pointer.
   * @param {MouseEvent} event
   */
  spotAt(event) {
    const box = this.stage.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * this.canvas.width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * this.canvas.height);
    for (const [number, grid] of this.grids.entries()) {
      const spot = this.spotIn(number, grid, x, y - (grid.top ?? 0));
      if (spot) return spot;
    }
    return null;
  }

  /**
   * @param {number} number
   * @param {GridRow} grid
   * @param {number} x
   * @param {number} y
   * @returns {Spot | null}
   */
  spotIn(number, grid, x, y) {
    const [rows, columns] = [sideLevels(grid, grid.rows), sideLevels(grid, grid.columns)];
    const down = indicesAt(rows, y, grid.cell);
    const across = indicesAt(columns, x, grid.cell);
    if (!down || !across) return null;
    const isCut = [...down.values(), ...across.values()].includes(-1);
    return {
      number,
      indices: this.withSliders(grid, [...down, ...across]),
      row: isCut ? -1 : cellNumber(rows, down),
      column: isCut ? -1 : cellNumber(columns, across),
    };
  }

  /**
   * @param {GridRow} grid
   * @param {[number, number][]} indices
   */
  withSliders(grid, indices) {
    return new Map([
      ...indices,
      .../** @type {[number, number][]} */ ((grid.sliders ?? []).map((axis, at) => [axis, this.position[at] ?? 0])),
    ]);
  }

  /**
   * A cell by its numbers.
   * @param {number} number
   * @param {number} row
   * @param {number} column
   * @returns {Spot}
   */
  spotOf(number, row, column) {
    const grid = this.grids[number];
    if (!grid) return { number, indices: new Map(), row, column };
    const down = cellIndices(sideLevels(grid, grid.rows), row);
    const across = cellIndices(sideLevels(grid, grid.columns), column);
    return { number, indices: this.withSliders(grid, [...down, ...across]), row, column };
  }

  /**
   * Cells of a grid along a side.
   * @param {GridRow} grid
   * @param {number[]} axes
   */
  static count(grid, axes) {
    return axes.reduce((product, axis) => product * (grid.axes[axis]?.[2] ?? 1), 1);
  }

  /**
   * Where the value of a cell is among all values.
   * @param {GridRow} grid
   * @param {number} row
   * @param {number} column
   */
  valueAt(grid, row, column) {
    const [rows, columns] = [LivePicture.count(grid, grid.rows), LivePicture.count(grid, grid.columns)];
    let slice = 0;
    (grid.sliders ?? []).forEach((axis, at) => {
      slice = slice * (grid.axes[axis]?.[2] ?? 1) + (this.position[at] ?? 0);
    });
    return (slice * rows + row) * columns + column;
  }

  /**
   * What is to be said of a cell.
   * @param {Spot} spot
   */
  words(spot) {
    const { data } = this.source;
    const grid = this.grids[spot.number];
    if (!data || !grid) return "";
    const place = `array${placeText(grid, spot.indices)}`;
    if (spot.row < 0) return `${place} left out`;
    const value =
      grid.kind === "~"
        ? colorText(data, grid, this.colorOf(grid, spot))
        : valueText(data, grid, this.valueAt(grid, spot.row, spot.column));
    const holds = grid.axes.some((axis) => axis[5]?.length) ? " on " : value?.startsWith("≈") ? " " : " = ";
    return `${place}${value === null ? "" : holds + value}${itemsText(grid, spot.indices)}`;
  }

  /**
   * The colour of the first pixel of a cell, as it was at first.
   * @param {GridRow} grid
   * @param {Spot} spot
   */
  colorOf(grid, spot) {
    const { x, y } = this.corner(grid, spot);
    return [...(this.context()?.getImageData(x, y, 1, 1).data ?? [])].slice(0, 3);
  }

  /**
   * @param {GridRow} grid
   * @param {{row: number, column: number}} spot
   */
  corner(grid, { row, column }) {
    return {
      x: startOf(sideLevels(grid, grid.columns), column),
      y: startOf(sideLevels(grid, grid.rows), row) + (grid.top ?? 0),
    };
  }

  /**
   * Shows a cell and what it holds.
   * @param {Spot | null} spot
   * @param {boolean} [aloud] Whether a screen reader is to read it.
   */
  async tell(spot, aloud = true) {
    await this.source.load();
    const { line, ring, canvas } = this;
    line.setAttribute("aria-live", aloud ? "polite" : "off");
    line.textContent = spot ? this.words(spot) : "";
    const grid = spot && this.grids[spot.number];
    ring.hidden = !grid || spot.row < 0;
    if (!grid || ring.hidden) return;
    const { x, y } = this.corner(grid, spot);
    const percent = (/** @type {number} */ part, /** @type {number} */ whole) => `${(100 * part) / whole}%`;
    Object.assign(ring.style, {
      left: percent(x, canvas.width),
      top: percent(y, canvas.height),
      width: percent(grid.cell, canvas.width),
      height: percent(grid.cell, canvas.height),
    });
  }

  /**
   * @param {MouseEvent} event
   * @param {boolean} [keep] Whether the cell stays chosen.
   */
  async point(event, keep = false) {
    await this.source.load();
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
    await this.source.load();
    const grid = this.grids[this.pinned?.number ?? 0];
    if (!grid) return;
    if (key === "Escape") {
      this.reset();
      return;
    }
    const last = { row: LivePicture.count(grid, grid.rows) - 1, column: LivePicture.count(grid, grid.columns) - 1 };
    let { number, row, column } = this.pinned ?? { number: 0, row: 0, column: 0 };
    [row, column] = [Math.max(row, 0), Math.max(column, 0)];
    if (this.pinned) {
      if (key === "Enter" || key === " ") this.recolor(this.pinned);
      if (key === "ArrowLeft") column -= 1;
      if (key === "ArrowRight") column += 1;
      if (key === "ArrowUp") row -= 1;
      if (key === "ArrowDown") row += 1;
    }
    if (key === "Home") [row, column] = [far ? 0 : row, 0];
    if (key === "End") [row, column] = [far ? last.row : row, last.column];
    // Beyond the last row the next grid begins.
    if (row > last.row && this.grids[number + 1]) [number, row] = [number + 1, 0];
    if (row < 0 && number > 0) {
      number -= 1;
      const above = this.grids[number] ?? grid;
      row = LivePicture.count(above, above.rows) - 1;
    }
    const held = this.grids[number] ?? grid;
    row = Math.min(Math.max(row, 0), LivePicture.count(held, held.rows) - 1);
    column = Math.min(Math.max(column, 0), LivePicture.count(held, held.columns) - 1);
    this.pinned = this.spotOf(number, row, column);
    await this.tell(this.pinned);
  }

  /** Lets go of the chosen cell, and takes the colours back. */
  reset() {
    this.pinned = null;
    if (this.spread) {
      this.spread = null;
      this.redraw();
      this.explain();
    }
    void this.tell(null);
  }

  /**
   * Spreads the colours around the magnitude of a value, where that is asked for.
   * @param {Spot} spot
   */
  recolor(spot) {
    const { data } = this.source;
    const [grid] = this.grids;
    if (!data || !grid?.scale?.[4] || this.grids.length > 1 || spot.row < 0) return;
    if (grid.values === undefined) return; // the page does not hold them
    const limit = Math.max(Math.abs(grid.scale[1]), Math.abs(grid.scale[2]));
    const at = this.valueAt(grid, spot.row, spot.column);
    let magnitude = Math.abs(Number(cellValue(data, grid, at)));
    if (!Number.isFinite(magnitude) || isMasked(data, grid, at)) return;
    if (magnitude === 0) magnitude = this.leastMagnitude(data, grid);
    const spread = spreadFor(magnitude, limit);
    // Large values have contrast in even steps, which is what there was at first.
    const isPlain = spread === Infinity && magnitude <= limit;
    this.spread = isPlain ? null : { limit: Math.max(limit, magnitude), spread };
    this.redraw();
    this.explain(isPlain ? undefined : magnitude);
  }

  /**
   * The smallest magnitude but zero.
   * @param {CellData} data
   * @param {GridRow} grid
   */
  leastMagnitude(data, grid) {
    let least = Infinity;
    for (let at = 0; at < (grid.count ?? 0); at += 1) {
      const magnitude = Math.abs(Number(cellValue(data, grid, at)));
      if (magnitude > 0 && magnitude < least && !isMasked(data, grid, at)) least = magnitude;
    }
    return Number.isFinite(least) ? least : 0;
  }

  /**
   * Says in the legend what the colours mean now.
   * @param {number} [magnitude]
   */
  explain(magnitude) {
    const legend = this.figure.querySelector("figcaption .le");
    const [grid] = this.grids;
    if (!legend || !grid?.scale || (magnitude === undefined && !this.legend)) return;
    const [low, , high, note] = [...legend.children];
    const saved = this.legend || JSON.stringify([low?.textContent, high?.textContent, note?.textContent ?? ""]);
    this.legend = saved;
    /** @type {string[]} */
    const texts = JSON.parse(saved);
    const short = (/** @type {number} */ value) => pythonFloat(Number(value.toPrecision(3))).replace(/\.0$/, "");
    if (magnitude !== undefined && this.spread) {
      const { limit, spread } = this.spread;
      const how = spread === Infinity ? "even steps" : `half of the colours up to ±${short(magnitude)}`;
      const isWider = limit > Math.max(Math.abs(grid.scale[1]), Math.abs(grid.scale[2]));
      if (isWider) [texts[0], texts[1]] = [short(-limit), short(limit)];
      texts[2] = how;
    }
    if (low) low.textContent = texts[0] ?? "";
    if (high) high.textContent = texts[1] ?? "";
    const last = note ?? legend.appendChild(made("span"));
    last.textContent = texts[2] ?? "";
  }

  /** Draws the cells that have changed. */
  redraw() {
    const { canvas } = this;
    const context = this.context();
    const { data } = this.source;
    if (!context || !data || !canvas.width) return;
    this.original ??= context.getImageData(0, 0, canvas.width, canvas.height);
    if (!this.spread && !this.grids.some((grid) => grid.tiles !== undefined)) {
      context.putImageData(this.original, 0, 0);
      return;
    }
    const shown = context.getImageData(0, 0, canvas.width, canvas.height);
    const before = new Uint32Array(shown.data.buffer.slice(0));
    for (const grid of this.grids) this.paint(data, grid, new Uint32Array(shown.data.buffer));
    const after = new Uint32Array(shown.data.buffer);
    let [first, last] = [after.length, -1];
    for (let at = 0; at < after.length; at += 1) {
      if (after[at] === before[at]) continue;
      first = Math.min(first, at);
      last = at;
    }
    if (last < 0) return;
    const [top, bottom] = [Math.floor(first / canvas.width), Math.floor(last / canvas.width)];
    context.putImageData(shown, 0, 0, 0, top, canvas.width, bottom - top + 1);
  }

  /**
   * Writes all cells of a grid into pixels.
   * @param {CellData} data
   * @param {GridRow} grid
   * @param {Uint32Array} pixels
   */
  paint(data, grid, pixels) {
    const { width } = this.canvas;
    const { cell, top = 0 } = grid;
    const colors = this.spread && tableColors(data, grid);
    const tiles = grid.tiles === undefined ? null : data.blob.slice(grid.tiles, grid.choice);
    const tilePixels = tiles && new Uint32Array(tiles.buffer);
    const base = new Uint32Array((this.original ?? new ImageData(1, 1)).data.buffer);
    const [rows, columns] = [LivePicture.count(grid, grid.rows), LivePicture.count(grid, grid.columns)];
    const across = sideLevels(grid, grid.columns);
    const down = sideLevels(grid, grid.rows);
    const first = this.valueAt(grid, 0, 0);
    const lefts = Array.from({ length: columns }, (_, column) => startOf(across, column));
    for (let row = 0; row < rows; row += 1) {
      const y = top + startOf(down, row);
      for (let column = 0; column < columns; column += 1) {
        const at = first + row * columns + column;
        const color = colors && this.spreadColor(data, grid, at, colors);
        const tile = tilePixels ? gathered(data, grid.choice ?? 0, grid.count ?? 0, 4, at).getUint32(0, true) : 0;
        const x = lefts[column] ?? 0;
        for (let part = 0; part < cell * cell; part += 1) {
          const place = (y + Math.floor(part / cell)) * width + x + (part % cell);
          pixels[place] = color ?? tilePixels?.[tile * cell * cell + part] ?? base[place] ?? 0;
        }
      }
    }
  }

  /**
   * The colour of a value on the scale that the reader chose; null for what has a mark.
   * @param {CellData} data
   * @param {GridRow} grid
   * @param {number} at
   * @param {Uint32Array} colors
   */
  spreadColor(data, grid, at, colors) {
    const value = Number(cellValue(data, grid, at));
    if (!this.spread || !Number.isFinite(value) || isMasked(data, grid, at)) return null;
    const place = spreadPlace(value, this.spread.limit, this.spread.spread);
    return colors[Math.round(((place + 1) / 2) * (colors.length - 1))] ?? null;
  }

  /** Adds an input for each axis on a slider. */
  async addSliders() {
    const data = await this.source.load();
    const [grid] = this.grids;
    if (!data || !grid?.sliders) return;
    const box = made("div", "tv-sliders");
    this.position = [...(grid.position ?? [])];
    grid.sliders.forEach((axis, number) => {
      const row = grid.axes[axis];
      if (!row) return;
      const label = made("label");
      const name = made("span");
      const input = made("input");
      const told = made("output");
      name.textContent = row[1];
      input.type = "range";
      input.min = "0";
      input.max = String(row[2] - 1);
      input.value = String(this.position[number] ?? 0);
      const say = () => {
        const index = indexText(row, Number(input.value));
        const item = row[6]?.[Number(input.value)];
        told.textContent = item === undefined ? index : `${index} ${item}`;
        input.setAttribute("aria-valuetext", told.textContent);
      };
      input.addEventListener("input", () => {
        this.position[number] = Number(input.value);
        say();
        this.redraw();
        if (this.pinned) {
          this.pinned = this.spotOf(this.pinned.number, this.pinned.row, this.pinned.column);
          void this.tell(this.pinned, false);
        }
      });
      for (const kind of ["keydown", "click"]) input.addEventListener(kind, (event) => event.stopPropagation());
      say();
      label.append(name, input, told);
      box.append(label);
    });
    this.figure.querySelector("figcaption > .tv-slice")?.remove();
    this.line.before(box);
  }
}

const CELL_KEYS = new Set([
  "ArrowLeft",
  "ArrowRight",
  "ArrowUp",
  "ArrowDown",
  "Home",
  "End",
  "Enter",
  " ",
  "Escape",
]);

/**
 * The colours of a scale as pixels.
 * @param {CellData} data
 * @param {GridRow} grid
 */
function tableColors(data, grid) {
  const bytes = hexBytes(data.header.tables[grid.scale?.[0] ?? 0] ?? "");
  const pixels = new Uint8Array((bytes.length / 3) * 4).fill(255);
  bytes.forEach((byte, at) => {
    pixels[Math.floor(at / 3) * 4 + (at % 3)] = byte;
  });
  return new Uint32Array(pixels.buffer);
}

/**
 * Builds what a payload describes.
 * @param {Described} described
 * @returns {HTMLElement}
 */
function buildElement([name, attributes, children]) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "style") element.style.cssText = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.map((child) => (typeof child === "string" ? child : buildElement(child))));
  return element;
}

/**
 * Draws the pixels of a picture that no markup shows.
 * @param {CellData} data
 * @param {string} view
 * @param {HTMLCanvasElement} canvas
 */
function drawPixels(data, view, canvas) {
  const { pixels, png } = data.header.views[view] ?? {};
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (pixels && context) {
    const [height = 0, width = 0, start = 0] = pixels;
    const palette = new Uint32Array(hexBytes(data.header.palette ?? "").buffer);
    const image = new ImageData(width, height);
    const target = new Uint32Array(image.data.buffer);
    const count = width * height;
    for (let at = 0; at < count; at += 1) {
      target[at] = palette[(data.blob[start + at] ?? 0) + 256 * (data.blob[start + count + at] ?? 0)] ?? 0;
    }
    canvas.width = width;
    canvas.height = height;
    context.putImageData(image, 0, 0);
  } else if (png) {
    const [start = 0, length = 0] = png;
    const blob = new Blob([data.blob.slice(start, start + length)], { type: "image/png" });
    void createImageBitmap(blob).then((bitmap) => {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      canvas.getContext("2d", { willReadFrequently: true })?.drawImage(bitmap, 0, 0);
    });
  }
}

/**
 * What the script of the tree asks of the pictures.
 * @param {HTMLElement} tree
 */
function picturesOf(tree) {
  const [shown, more] = ["tv-cells", "tv-more-cells"].map(
    (name) => new CellSource(tree.querySelector(`:scope > script.${name}`)),
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
