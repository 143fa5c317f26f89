// Cells of another size: by buttons, by the keys + and -, and by the wheel with Alt. The pixels stay
// the same, so what is drawn stays exact.

const SMALLEST = 1; // CSS pixels of a cell
const LARGEST = 64;
const ZOOM_KEYS = "-0+=";

class Zoom {
  /** @param {LivePicture} picture */
  constructor(picture) {
    this.picture = picture;
    /** How many pixels the cells of the picture have; 0 until somebody asks. */
    this.first = 0;
    this.now = 0;
    /** @type {[HTMLElement, [string, number][]][]} Elements, and their lengths at first. */
    this.lengths = [];
    this.box = made("span", "tv-zoom");
    this.box.append(
      makeZoomButton("−", "Smaller cells", () => void this.step(-1)),
      makeZoomButton("+", "Larger cells", () => void this.step(1)),
    );
    picture.stage.addEventListener(
      "wheel",
      (event) => {
        if (!event.altKey || event.ctrlKey || event.deltaY === 0) return;
        event.preventDefault();
        void this.step(event.deltaY < 0 ? 1 : -1);
      },
      { passive: false },
    );
  }

  /**
   * Makes cells larger or smaller, each time by about a quarter.
   * @param {number} by 1, -1, or 0 for the size that they had at first.
   */
  async step(by) {
    const { spots, painter, stage, line } = this.picture;
    await spots.source.load();
    const cell = spots.grids[0]?.cell ?? 1;
    if (!this.first) {
      this.first = (parseFloat(stage.style.width) / painter.canvas.width) * cell;
      this.now = this.first;
      this.measure();
    }
    const next = Math.round(this.now * (by < 0 ? 0.8 : 1.25));
    const wanted = by > 0 ? Math.max(next, this.now + 1) : Math.min(next, this.now - 1);
    this.now = by === 0 ? this.first : Math.min(Math.max(Math.round(wanted), SMALLEST), LARGEST);
    for (const [element, lengths] of this.lengths) {
      for (const [name, length] of lengths) {
        element.style.setProperty(name, `${(length * this.now) / this.first}px`);
      }
    }
    line.textContent = `${+this.now.toFixed(2)} pixels per cell`;
  }

  /** Notes what is as long as cells are: the picture, and where its labels stand. */
  measure() {
    const { stage, figure } = this.picture;
    const add = (/** @type {HTMLElement} */ element, /** @type {string[]} */ names) => {
      const style = element.style;
      this.lengths.push([element, names.map((name) => [name, parseFloat(style.getPropertyValue(name))])]);
    };
    add(stage, ["width", "height"]);
    for (const label of figure.querySelectorAll(".ed > span")) {
      if (!(label instanceof HTMLElement)) continue;
      add(label, label.parentElement?.matches(".left, .right") ? ["top", "height"] : ["left", "width"]);
    }
  }
}

/**
 * @param {string} text
 * @param {string} title
 * @param {() => void} act
 */
function makeZoomButton(text, title, act) {
  const button = made("button");
  button.type = "button";
  button.textContent = text;
  button.title = title;
  button.setAttribute("aria-label", title);
  button.addEventListener("click", (event) => {
    event.stopPropagation(); // a tree around would take the focus
    act();
  });
  button.addEventListener("keydown", (event) => event.stopPropagation());
  return button;
}
