// Colours that the reader spreads around a value, where most values have the same colour otherwise.

class Recoloring {
  /**
   * @param {HTMLElement} figure
   * @param {Spots} spots
   */
  constructor(figure, spots) {
    this.figure = figure;
    this.spots = spots;
    /** @type {{limit: number, spread: number} | null} Null for the colours as they were at first. */
    this.chosen = null;
    this.legend = "";
  }

  /**
   * Spreads the colours around the magnitude of a value, where that is asked for.
   * @param {Spot} spot
   * @returns {boolean} Whether there are other colours now.
   */
  choose(spot) {
    const { spots } = this;
    const { data } = spots.source;
    const [grid] = spots.grids;
    if (!data || !grid?.scale?.[4] || spots.grids.length > 1 || spot.row < 0) return false;
    if (grid.values === undefined) return false; // the page does not hold them
    const limit = Math.max(Math.abs(grid.scale[1]), Math.abs(grid.scale[2]));
    const at = spots.valueAt(grid, spot.row, spot.column);
    let magnitude = Math.abs(Number(cellValue(data, grid, at)));
    if (!Number.isFinite(magnitude) || isMasked(data, grid, at)) return false;
    if (magnitude === 0) magnitude = leastMagnitude(data, grid);
    const spread = spreadFor(magnitude, limit);
    // Large values have contrast in even steps, which is what there was at first.
    const isPlain = spread === Infinity && magnitude <= limit;
    this.chosen = isPlain ? null : { limit: Math.max(limit, magnitude), spread };
    this.explain(isPlain ? undefined : magnitude);
    return true;
  }

  /** @returns {boolean} Whether there were other colours. */
  reset() {
    if (!this.chosen) return false;
    this.chosen = null;
    this.explain();
    return true;
  }

  /**
   * The colour of a value as a pixel; null for what has a mark.
   * @param {CellData} data
   * @param {GridRow} grid
   * @param {number} at
   * @param {Uint32Array} colors
   */
  color(data, grid, at, colors) {
    const value = Number(cellValue(data, grid, at));
    if (!this.chosen || !Number.isFinite(value) || isMasked(data, grid, at)) return null;
    const place = spreadPlace(value, this.chosen.limit, this.chosen.spread);
    return colors[Math.round(((place + 1) / 2) * (colors.length - 1))] ?? null;
  }

  /**
   * Says in the legend what the colours mean now.
   * @param {number} [magnitude]
   */
  explain(magnitude) {
    const legend = this.figure.querySelector("figcaption .le");
    const [grid] = this.spots.grids;
    if (!legend || !grid?.scale || (magnitude === undefined && !this.legend)) return;
    const [low, , high, note] = [...legend.children];
    const saved = this.legend || JSON.stringify([low?.textContent, high?.textContent, note?.textContent ?? ""]);
    this.legend = saved;
    /** @type {string[]} */
    const texts = JSON.parse(saved);
    const short = (/** @type {number} */ value) => pythonFloat(Number(value.toPrecision(3))).replace(/\.0$/, "");
    if (magnitude !== undefined && this.chosen) {
      const { limit, spread } = this.chosen;
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
}

/**
 * The smallest magnitude but zero.
 * @param {CellData} data
 * @param {GridRow} grid
 */
function leastMagnitude(data, grid) {
  let least = Infinity;
  for (let at = 0; at < (grid.count ?? 0); at += 1) {
    const magnitude = Math.abs(Number(cellValue(data, grid, at)));
    if (magnitude > 0 && magnitude < least && !isMasked(data, grid, at)) least = magnitude;
  }
  return Number.isFinite(least) ? least : 0;
}
