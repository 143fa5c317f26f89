// What the pictures of a page know of their cells: a header and, behind it, the values as they lie in
// memory. Nothing here needs a document, nor do the places, decimals and scales that belong to it.

/**
 * One axis: name, label, how many indices are shown, before which of them some are left out, how
 * many, what each stands for, what each is called.
 * @typedef {[string | null, string, number, number, number, string[]?, string[]?]} AxisRow
 */

/**
 * @typedef {object} GridRow
 * @property {AxisRow[]} axes
 * @property {number[]} rows Axes, innermost first.
 * @property {number[]} columns
 * @property {number} cell Pixels of a side.
 * @property {number} [top] Pixels above.
 * @property {string} [part] The field of a structured array.
 * @property {number[]} [sliders]
 * @property {number[]} [position] The index of each slider at first.
 * @property {Record<string, string>} [names] What integers stand for.
 * @property {[number, number, number, number, number]} [scale] The table of colours, the values of
 *   its ends, whether there are values beyond, and whether a click may change the scale.
 * @property {string} [kind] How values are kept; `~` where only their colours tell them.
 * @property {string[]} [texts]
 * @property {number} [wide] Bytes of the number of a text.
 * @property {number} [values] Where the values begin.
 * @property {number} [count]
 * @property {number} [masked] Where the bits begin that say what is masked.
 * @property {number} [tiles] Where the tiles begin.
 * @property {number} [choice] Where the numbers of the tiles begin.
 */

/** @typedef {[string, Record<string, string>, (Described | string)[]]} Described An element. */

/**
 * @typedef {object} CellHeader
 * @property {Record<string, {grids?: GridRow[], figure?: Described, pixels?: number[], png?: number[]}>} views
 * @property {string[]} tables
 * @property {string} [palette]
 */

/** @typedef {{header: CellHeader, blob: Uint8Array}} CellData */

/**
 * A payload: the header and what follows it.
 * @param {Uint8Array} bytes
 * @returns {CellData}
 */
function readCells(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  return { header, blob: bytes.subarray(4 + length) };
}

/**
 * One number from the planes of its bytes.
 * @param {CellData} data
 * @param {number} start
 * @param {number} count How many numbers there are.
 * @param {number} width Bytes of one.
 * @param {number} at
 * @returns {DataView}
 */
function gathered({ blob }, start, count, width, at) {
  SCRATCH.setUint32(0, 0); // what reads more bytes than there are reads zeros
  for (let plane = 0; plane < width; plane += 1) SCRATCH.setUint8(plane, blob[start + plane * count + at] ?? 0);
  return SCRATCH;
}

const SCRATCH = new DataView(new ArrayBuffer(16));

/** @type {Record<string, number>} */
const EXTRA_WIDTHS = { bf: 2, c8: 8, c16: 16 };

/**
 * A value as a number: a long integer as it is, a complex number as two; null where there is none.
 * @param {CellData} data
 * @param {GridRow} grid
 * @param {number} at
 * @returns {number | bigint | [number, number] | null}
 */
function cellValue(data, grid, at) {
  const { kind = "", values = 0, count = 0 } = grid;
  const width = kind === "texts" ? (grid.wide ?? 1) : (EXTRA_WIDTHS[kind] ?? Number(kind.slice(1)));
  if (!width) return null;
  const view = gathered(data, values, count, width, at);
  switch (kind) {
    case "i1":
      return view.getInt8(0);
    case "i2":
      return view.getInt16(0, true);
    case "i4":
      return view.getInt32(0, true);
    case "i8":
      return view.getBigInt64(0, true);
    case "u8":
      return view.getBigUint64(0, true);
    case "f2":
      return halfFloat(view.getUint16(0, true));
    case "bf":
      view.setUint32(4, view.getUint16(0, true) * 65536, true);
      return view.getFloat32(4, true);
    case "f4":
      return view.getFloat32(0, true);
    case "f8":
      return view.getFloat64(0, true);
    case "c8":
      return [view.getFloat32(0, true), view.getFloat32(4, true)];
    case "c16":
      return [view.getFloat64(0, true), view.getFloat64(8, true)];
    default:
      return view.getUint32(0, true); // the bytes behind a short number are zero
  }
}

/**
 * Whether a value is masked.
 * @param {CellData} data
 * @param {GridRow} grid
 * @param {number} at
 */
function isMasked({ blob }, { masked }, at) {
  return masked !== undefined && ((blob[masked + (at >> 3)] ?? 0) & (128 >> (at & 7))) !== 0;
}

/**
 * A value as Python writes it; null where the page does not hold it.
 * @param {CellData} data
 * @param {GridRow} grid
 * @param {number} at
 * @returns {string | null}
 */
function valueText(data, grid, at) {
  if (isMasked(data, grid, at)) return "masked";
  const value = cellValue(data, grid, at);
  const kind = grid.kind ?? "";
  if (value === null) return null;
  if (Array.isArray(value)) return complexText(value, kind);
  if (kind === "texts") return grid.texts?.[Number(value)] ?? null;
  const text = /^[iu]/.test(kind) ? String(value) : realText(Number(value), kind);
  const name = grid.names?.[text];
  return name === undefined ? text : `${text} (${name})`;
}
