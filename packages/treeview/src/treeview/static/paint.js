// The pixels of a picture, drawn again where another slice or other colours are to be seen.

class Painter {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Spots} spots
   * @param {Recoloring} recoloring
   */
  constructor(canvas, spots, recoloring) {
    this.canvas = canvas;
    this.spots = spots;
    this.recoloring = recoloring;
    /** @type {ImageData | null} The pixels as they were at first. */
    this.original = null;
    this.colorAt = (/** @type {number} */ x, /** @type {number} */ y) =>
      [...(this.context()?.getImageData(x, y, 1, 1).data ?? [])].slice(0, 3);
  }

  context() {
    return this.canvas.getContext("2d", { willReadFrequently: true });
  }

  /** @param {HTMLImageElement} image */
  take(image) {
    this.canvas.width = image.naturalWidth;
    this.canvas.height = image.naturalHeight;
    this.context()?.drawImage(image, 0, 0);
  }

  /** Draws the cells that have changed. */
  redraw() {
    const { canvas, spots } = this;
    const context = this.context();
    const { data } = spots.source;
    if (!context || !data || !canvas.width) return;
    this.original ??= context.getImageData(0, 0, canvas.width, canvas.height);
    if (!this.recoloring.chosen && !spots.grids.some((grid) => grid.tiles !== undefined)) {
      context.putImageData(this.original, 0, 0);
      return;
    }
    const shown = context.getImageData(0, 0, canvas.width, canvas.height);
    const before = new Uint32Array(shown.data.buffer.slice(0));
    for (const grid of spots.grids) this.paint(data, grid, new Uint32Array(shown.data.buffer));
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
    const { recoloring } = this;
    const colors = recoloring.chosen && tableColors(data, grid);
    const tiles = grid.tiles === undefined ? null : data.blob.slice(grid.tiles, grid.choice);
    const tilePixels = tiles && new Uint32Array(tiles.buffer);
    const base = new Uint32Array((this.original ?? new ImageData(1, 1)).data.buffer);
    const [rows, columns] = [cellCount(grid, grid.rows), cellCount(grid, grid.columns)];
    const across = sideLevels(grid, grid.columns);
    const down = sideLevels(grid, grid.rows);
    const first = this.spots.valueAt(grid, 0, 0);
    const lefts = Array.from({ length: columns }, (_, column) => startOf(across, column));
    for (let row = 0; row < rows; row += 1) {
      const y = top + startOf(down, row);
      for (let column = 0; column < columns; column += 1) {
        const at = first + row * columns + column;
        const color = colors && recoloring.color(data, grid, at, colors);
        const tile = tilePixels ? gathered(data, grid.choice ?? 0, grid.count ?? 0, 4, at).getUint32(0, true) : 0;
        const x = lefts[column] ?? 0;
        for (let part = 0; part < cell * cell; part += 1) {
          const place = (y + Math.floor(part / cell)) * width + x + (part % cell);
          pixels[place] = color ?? tilePixels?.[tile * cell * cell + part] ?? base[place] ?? 0;
        }
      }
    }
  }
}
