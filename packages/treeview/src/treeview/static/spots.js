// The cells of one figure: which one is at a pixel, which one a key leads to, and what is said of it.

/**
 * One cell, and where it is.
 * @typedef {object} Spot
 * @property {number} number Which grid.
 * @property {Map<number, number>} indices The shown indices by axis.
 * @property {number} row The cell along the rows, or -1 where indices are left out.
 * @property {number} column
 */

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

class Spots {
  /**
   * @param {CellSource} source
   * @param {string} view Which picture of the source.
   */
  constructor(source, view) {
    this.source = source;
    this.view = view;
    /** @type {number[]} The index of each slider. */
    this.position = [];
  }

  /** The grids of this picture, once they are unpacked. @returns {GridRow[]} */
  get grids() {
    return this.source.data?.header.views[this.view]?.grids ?? [];
  }

  /**
   * The cell at a pixel of the image.
   * @param {number} x
   * @param {number} y
   */
  at(x, y) {
    for (const [number, grid] of this.grids.entries()) {
      const spot = this.inGrid(number, grid, x, y - (grid.top ?? 0));
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
  inGrid(number, grid, x, y) {
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
  of(number, row, column) {
    const grid = this.grids[number];
    if (!grid) return { number, indices: new Map(), row, column };
    const down = cellIndices(sideLevels(grid, grid.rows), row);
    const across = cellIndices(sideLevels(grid, grid.columns), column);
    return { number, indices: this.withSliders(grid, [...down, ...across]), row, column };
  }

  /**
   * The cell that a key leads to.
   * @param {Spot | null} from Where the reader is; the first cell is where nobody is yet.
   * @param {string} key
   * @param {boolean} far Whether Home and End go to the corners.
   * @returns {Spot | null}
   */
  moved(from, key, far) {
    const grid = this.grids[from?.number ?? 0];
    if (!grid) return null;
    const last = { row: cellCount(grid, grid.rows) - 1, column: cellCount(grid, grid.columns) - 1 };
    let { number, row, column } = from ?? { number: 0, row: 0, column: 0 };
    [row, column] = [Math.max(row, 0), Math.max(column, 0)];
    if (from) {
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
      row = cellCount(above, above.rows) - 1;
    }
    const held = this.grids[number] ?? grid;
    row = Math.min(Math.max(row, 0), cellCount(held, held.rows) - 1);
    column = Math.min(Math.max(column, 0), cellCount(held, held.columns) - 1);
    return this.of(number, row, column);
  }

  /**
   * Where the value of a cell is among all values.
   * @param {GridRow} grid
   * @param {number} row
   * @param {number} column
   */
  valueAt(grid, row, column) {
    const [rows, columns] = [cellCount(grid, grid.rows), cellCount(grid, grid.columns)];
    let slice = 0;
    (grid.sliders ?? []).forEach((axis, at) => {
      slice = slice * (grid.axes[axis]?.[2] ?? 1) + (this.position[at] ?? 0);
    });
    return (slice * rows + row) * columns + column;
  }

  /**
   * The first pixel of a cell.
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
   * What is to be said of a cell.
   * @param {Spot} spot
   * @param {(x: number, y: number) => number[]} colorAt The colour of a pixel, as it was at first.
   */
  words(spot, colorAt) {
    const { data } = this.source;
    const grid = this.grids[spot.number];
    if (!data || !grid) return "";
    const place = `array${placeText(grid, spot.indices)}`;
    if (spot.row < 0) return `${place} left out`;
    const { x, y } = this.corner(grid, spot);
    const value =
      grid.kind === "~"
        ? colorText(data, grid, colorAt(x, y))
        : valueText(data, grid, this.valueAt(grid, spot.row, spot.column));
    const holds = grid.axes.some((axis) => axis[5]?.length) ? " on " : value?.startsWith("≈") ? " " : " = ";
    return `${place}${value === null ? "" : holds + value}${itemsText(grid, spot.indices)}`;
  }
}
