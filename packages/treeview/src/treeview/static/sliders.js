// An input for each axis of which a picture shows one index at a time.

/**
 * Adds the inputs to a figure, once its payload is unpacked.
 * @param {LivePicture} picture
 */
async function addSliders({ figure, foot, spots, moved }) {
  const data = await spots.source.load();
  const [grid] = spots.grids;
  if (!data || !grid?.sliders) return;
  const box = made("div", "tv-sliders");
  spots.position = [...(grid.position ?? [])];
  grid.sliders.forEach((axis, number) => {
    const row = grid.axes[axis];
    if (!row) return;
    const change = (/** @type {number} */ index) => {
      spots.position[number] = index;
      moved();
    };
    box.append(makeSlider(row, spots.position[number] ?? 0, change));
  });
  figure.querySelector("figcaption > .tv-slice")?.remove();
  foot.before(box);
}

/**
 * @param {AxisRow} axis
 * @param {number} start
 * @param {(index: number) => void} change
 */
function makeSlider(axis, start, change) {
  const [label, name, input, told] = [made("label"), made("span"), made("input"), made("output")];
  name.textContent = axis[1];
  input.type = "range";
  input.min = "0";
  input.max = String(axis[2] - 1);
  input.value = String(start);
  const say = () => {
    const index = indexText(axis, Number(input.value));
    const item = axis[6]?.[Number(input.value)];
    told.textContent = item === undefined ? index : `${index} ${item}`;
    input.setAttribute("aria-valuetext", told.textContent);
  };
  input.addEventListener("input", () => {
    say();
    change(Number(input.value));
  });
  // A tree or a notebook around has meanings of its own for these.
  for (const kind of ["keydown", "click"]) input.addEventListener(kind, (event) => event.stopPropagation());
  say();
  label.append(name, input, told);
  return label;
}
