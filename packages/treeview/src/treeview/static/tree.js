// What scripts add to trees that already fold without them: a bar with a search field and two
// buttons, movement by keyboard, and the path of the line under the pointer, ready to be copied.
// Nothing is fetched, nothing evaluated, and text only ever becomes text.
(() => {
  "use strict";

  const LINES = "summary, li:not(:has(> details))";

  /**
   * The line that an element stands in: a summary, or a list item without branches.
   * @param {Element} element
   * @returns {HTMLElement | null}
   */
  function lineOf(element) {
    const line = element.closest("summary") ?? element.closest("li");
    return line?.matches(LINES) ? line : null;
  }

  /**
   * The item of a line in its list, or null for the root.
   * @param {Element} line
   * @returns {HTMLElement | null}
   */
  const itemOf = (line) => (line.tagName === "LI" ? line : line.parentElement).closest("li");

  /**
   * The Python text of the step that leads to an item, or null where no expression does.
   * @param {HTMLElement} item
   * @returns {string | null}
   */
  function stepOf(item) {
    if (item.dataset.p !== undefined) return item.dataset.p;
    const list = item.parentElement;
    const label = () => item.querySelector("b")?.textContent ?? "";
    switch (list.dataset.k) {
      case "i":
        return `[${Number(list.dataset.n ?? 0) + [...list.children].indexOf(item)}]`;
      case "a":
        return `.${label()}`;
      case "k":
        return `[${label()}]`;
      default:
        return null;
    }
  }

  /**
   * The path from the root to a line, or null where there is none.
   * @param {HTMLElement} line
   * @returns {string | null}
   */
  function pathOf(line) {
    let path = "";
    for (let item = itemOf(line); item; item = item.parentElement.closest("li")) {
      if (item.classList.contains("re")) {
        if (path === "") return null;
        continue;
      }
      const step = stepOf(item);
      if (step === null) return null;
      path = step + path;
    }
    return path;
  }

  /**
   * The text of a line as it stands when open, without what scripts added to it.
   * @param {HTMLElement} line
   */
  function textOf(line) {
    return [...line.childNodes]
      .filter((node) => !(node instanceof Element && node.matches(".tv-copy, .fo")))
      .map((node) => node.textContent)
      .join("");
  }

  /**
   * Copies text; where the page may not, shows it selected instead.
   * @param {string} text
   * @param {HTMLButtonElement} button
   */
  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "copied";
    } catch {
      button.style.userSelect = "text";
      button.textContent = text;
      getSelection()?.selectAllChildren(button);
    }
  }

  /**
   * Offers the path of the line under the pointer.
   * @param {HTMLElement} tree
   * @returns {() => void} Copies the path of the line that has the focus.
   */
  function addCopyButton(tree) {
    const button = document.createElement("button");
    button.className = "tv-copy";
    button.type = "button";
    button.tabIndex = -1;
    let path = "";
    const attach = (/** @type {HTMLElement | null} */ line) => {
      if (!line || !tree.contains(line) || button.parentElement === line) return;
      button.remove();
      if (line.closest("figure, .tv-bar") || line.querySelector(":scope > figure")) return;
      const found = pathOf(line);
      if (!found) return;
      path = found;
      button.style.userSelect = "";
      button.textContent = "copy path";
      button.title = path;
      line.append(button);
    };
    tree.addEventListener("pointerover", (event) => attach(lineOf(event.target)));
    tree.addEventListener("pointerleave", () => button.remove());
    button.addEventListener("click", (event) => {
      event.preventDefault();
      event.stopPropagation();
      copy(path, button);
    });
    return () => {
      const line = tree.querySelector(".at") ?? lineOf(document.activeElement ?? tree);
      attach(line);
      if (button.parentElement === line) copy(path, button);
    };
  }

  /**
   * Every line that can be seen, from top to bottom.
   * @param {HTMLElement} tree
   * @returns {HTMLElement[]}
   */
  const visibleLines = (tree) =>
    [...tree.querySelectorAll(LINES)].filter((line) => line.getClientRects().length > 0);

  /**
   * Moves through the tree by keyboard as through an outline.
   * @param {HTMLElement} tree
   * @param {() => void} copyPath
   */
  function addKeys(tree, copyPath) {
    const select = (/** @type {HTMLElement | undefined} */ line) => {
      if (!line) return;
      tree.querySelector(".at")?.classList.remove("at");
      if (line.tagName === "LI") {
        line.classList.add("at");
        line.tabIndex = -1;
      }
      line.focus({ preventScroll: true });
      line.scrollIntoView({ block: "nearest" });
    };
    tree.addEventListener("focusout", () => tree.querySelector(".at")?.classList.remove("at"));
    tree.addEventListener("keydown", (event) => {
      const line = lineOf(event.target);
      if (!line || event.ctrlKey || event.metaKey || event.altKey) return;
      const branch = line.tagName === "SUMMARY" ? line.parentElement : null;
      const step = (/** @type {number} */ by) => {
        const lines = visibleLines(tree);
        select(lines[lines.indexOf(line) + by]);
      };
      const parent = () =>
        select((branch ?? line).parentElement.closest("details")?.querySelector("summary"));
      const moves = {
        ArrowDown: () => step(1),
        ArrowUp: () => step(-1),
        ArrowRight: () => (branch && !branch.open ? (branch.open = true) : step(1)),
        ArrowLeft: () => (branch?.open ? (branch.open = false) : parent()),
        Home: () => select(visibleLines(tree)[0]),
        End: () => select(visibleLines(tree).at(-1)),
        c: copyPath,
      };
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      event.stopPropagation(); // a notebook has meanings of its own for these keys
      move();
    });
  }

  /**
   * Shows the lines that hold the words and what they stand in; without words, all of them.
   * @param {HTMLElement} tree
   * @param {string} words
   * @returns {number | null} How many lines match.
   */
  function filterLines(tree, words) {
    const branches = [...tree.querySelectorAll("details")];
    CSS.highlights?.delete("treeview");
    for (const hidden of tree.querySelectorAll(".no")) hidden.classList.remove("no");
    if (words === "") {
      for (const branch of branches) {
        if (branch.dataset.was !== undefined) branch.open = branch.dataset.was === "open";
        delete branch.dataset.was;
      }
      return null;
    }
    const kept = new Set();
    const entered = new Set();
    let matches = 0;
    for (const line of tree.querySelectorAll(LINES)) {
      if (!textOf(line).toLowerCase().includes(words)) continue;
      matches += 1;
      for (let item = itemOf(line); item && !kept.has(item); item = item.parentElement.closest("li")) {
        kept.add(item);
        entered.add(item.parentElement.parentElement);
      }
    }
    for (const branch of branches) {
      branch.dataset.was ??= branch.open ? "open" : "closed";
      branch.open = entered.has(branch) || !branch.closest("li");
    }
    for (const item of tree.querySelectorAll("li")) item.classList.toggle("no", !kept.has(item));
    highlight(tree, words);
    return matches;
  }

  /**
   * Marks the words where the browser can do so without touching the page.
   * @param {HTMLElement} tree
   * @param {string} words
   */
  function highlight(tree, words) {
    if (!CSS.highlights) return;
    const found = new Highlight();
    const walker = document.createTreeWalker(tree, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode.data.toLowerCase();
      for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) {
        const range = new Range();
        range.setStart(walker.currentNode, at);
        range.setEnd(walker.currentNode, Math.min(at + words.length, walker.currentNode.length));
        found.add(range);
      }
    }
    CSS.highlights.set("treeview", found);
  }

  /**
   * Puts the search field and the buttons above the tree.
   * @param {HTMLElement} tree
   */
  function addBar(tree) {
    const bar = document.createElement("div");
    bar.className = "tv-bar";
    const search = document.createElement("input");
    search.type = "search";
    search.placeholder = "Filter lines";
    search.setAttribute("aria-label", "Filter the lines of this tree");
    const count = document.createElement("span");
    count.setAttribute("role", "status");
    const unfold = (/** @type {string} */ text, /** @type {boolean} */ open) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.addEventListener("click", () => {
        for (const branch of tree.querySelectorAll("details")) {
          branch.open = open || !branch.closest("li");
        }
      });
      return button;
    };
    let waiting = 0;
    search.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        const matches = filterLines(tree, search.value.trim().toLowerCase());
        count.textContent =
          matches === null ? "" : matches === 1 ? "1 line matches" : `${matches} lines match`;
      }, 120);
    });
    search.addEventListener("keydown", (event) => event.stopPropagation());
    bar.append(search, unfold("Expand all", true), unfold("Collapse all", false), count);
    tree.prepend(bar);
  }

  for (const tree of document.querySelectorAll(".treeview:not([data-ready])")) {
    tree.dataset.ready = "";
    if (!tree.querySelector("details")) continue;
    if (tree.querySelectorAll("details").length > 11) addBar(tree);
    addKeys(tree, addCopyButton(tree));
  }
})();
