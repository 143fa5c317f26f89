// Pictures and rich output that come with messages.

/** @type {CellSource[]} What is known of the cells of pictures, one for each message. */
const sources = [];

/** Makes pictures live, as those of pages. @type {Pictures} */
const livePictures = {
  loaded: async () => undefined,
  mount: (figure) => {
    const source = sources[Number(figure.dataset.source)];
    if (source && "g" in figure.dataset) new LivePicture(figure, source);
  },
  build: () => null,
};

/**
 * Pictures and rich output by the position of their leaf. Templates run no scripts and load nothing.
 * @param {string} html
 */
function readFigures(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  /** @type {Map<number, Element>} */
  const figures = new Map();
  const cells = holder.content.querySelector("script.tv-cells");
  if (cells) sources.push(new CellSource(cells));
  for (const { content } of holder.content.querySelectorAll("template")) {
    for (const figure of content.querySelectorAll("[data-v]")) {
      if (cells) figure.setAttribute("data-source", String(sources.length - 1));
      figures.set(Number(figure.getAttribute("data-v")), figure);
    }
  }
  return figures;
}
