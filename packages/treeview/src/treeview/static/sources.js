// What pages hold of pictures: payloads that are unpacked when somebody first asks, and pictures that
// no markup shows. Nothing but text and pixels is ever made of what is read.

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
