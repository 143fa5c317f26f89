// One view of a live tree: what it asks the kernel, and what it does with the answers.

const ANSWER = 4_000; // milliseconds until the reader is told that no answer came
const GONE = "The kernel is busy or gone. What was open before is still here.";

/** One view of a widget. */
class Live {
  /**
   * @param {Host} host
   * @param {HTMLElement} tree
   */
  constructor(host, tree) {
    this.host = host;
    /** What tells this view from others of the same widget. */
    this.view = Math.floor(Math.random() * 2 ** 31);
    this.waiting = 0;
    this.isChoosing = false;
    /** @type {number | null} How many levels this view wants open, until the kernel has answered. */
    this.depth = null;
    this.said = document.createElement("span");
    this.said.setAttribute("role", "status");
    const first = JSON.parse(String(host.get("_first")));
    const model = new LiveModel(String(first.payload));
    this.shown = new LiveView(tree, model, readFigures(String(first.figures)), (request) => this.ask(request));
    this.search = new LiveSearch(this);
    this.copy = new LiveCopy(this);
    tree.append(makeLiveBar(this), this.shown.list);
    addActions(this.shown, null, (at) => this.copy.ask(at));
    addKeys(this.shown);
    addChoosing(this);
    this.shown.select(/** @type {number[]} */ (host.get("_selection")));
    /** @type {(() => void) | null} */
    this.unfollow = null;
    /** @type {Answer[]} What came while the tree was not on the page. */
    this.missed = [];
    // Notebooks make views before they put them on the page, and take off what is out of sight.
    this.watcher = new IntersectionObserver(() => this.resume());
    this.watcher.observe(tree);
    requestAnimationFrame(() => this.resume());
    this.resume();
    this.ask({ kind: "hello", view: this.view, version: first.version });
  }

  /** Builds what could not be built as long as the tree was not on the page. */
  resume() {
    const { tree } = this.shown;
    if (!tree.isConnected) return;
    if (!("ready" in tree.dataset)) {
      if (tree.getRootNode() instanceof ShadowRoot) this.unfollow = followTheme(tree);
      this.shown.render();
      tree.dataset.ready = "";
    }
    for (const answer of this.missed.splice(0)) this.take(answer);
  }

  /** Hands back what this view selected: marimo runs cells again for what views say, not kernels. */
  confirm() {
    if (!this.isChoosing) return;
    this.isChoosing = false;
    this.host.set("selected_path", this.host.get("selected_path"));
    this.host.save_changes();
  }

  /** Ends the view. */
  stop() {
    clearTimeout(this.waiting);
    this.watcher.disconnect();
    this.shown.watcher.disconnect();
    this.unfollow?.();
  }

  /**
   * Asks the kernel.
   * @param {object} request
   */
  ask(request) {
    try {
      this.host.send(request);
    } catch {
      this.giveUp();
      return;
    }
    // A view may be up to date already, and what is selected comes another way.
    if ("kind" in request && (request.kind === "hello" || request.kind === "select")) return;
    this.waiting ||= setTimeout(() => this.giveUp(), ANSWER);
  }

  giveUp() {
    this.waiting = 0;
    this.say(GONE);
    this.shown.openKnown();
    this.copy.giveUp();
    if (this.depth !== null) this.shown.unfold(this.depth);
    this.depth = null;
  }

  /**
   * Opens so many levels, as far as there is room, and folds what is below.
   * @param {number | null} depth Null for all levels.
   */
  unfold(depth) {
    this.depth = depth ?? Infinity;
    this.ask({ kind: "unfold", view: this.view, depth });
  }

  /** @param {Answer} answer */
  unfolded({ left = 0, depth }) {
    this.shown.unfold(depth ?? Infinity);
    this.depth = null;
    const branches = left === 1 ? "1 branch stays" : `${left.toLocaleString("en-US")} branches stay`;
    this.say(left > 0 ? `${branches} folded, for there are many lines` : "");
  }

  /** @param {string} text */
  say(text) {
    this.said.textContent = text;
  }

  /** @param {Answer} answer */
  take(answer) {
    clearTimeout(this.waiting);
    this.waiting = 0;
    if (this.said.textContent === GONE) this.say("");
    const { shown } = this;
    if (!("ready" in shown.tree.dataset) || !shown.tree.isConnected) {
      this.missed.push(answer);
      return;
    }
    if (answer.kind === "part" || answer.kind === "tree") {
      const model = new LiveModel(String(answer.payload));
      const figures = readFigures(String(answer.figures));
      if (answer.kind === "tree") shown.exchange(model, figures, answer.view === this.view);
      else shown.replacePart(Number(answer.part), model, figures);
      if (answer.said !== undefined) this.say(answer.said);
    } else if (answer.kind === "reveal") {
      this.reveal(answer.place ?? []);
    } else if (answer.kind === "failed") {
      this.fail(Number(answer.part), String(answer.text));
    } else if (answer.view === this.view) {
      if (answer.kind === "unfolded") this.unfolded(answer);
      else if (answer.kind === "value") this.copy.take(answer);
      else this.search.take(answer);
    }
  }

  /**
   * Leads to a place of the tree.
   * @param {readonly number[]} place
   * @param {boolean} [focus] Whether the keyboard goes there, too.
   */
  reveal(place, focus = false) {
    const at = this.shown.live.find(place);
    const line = at < 0 ? null : this.shown.reveal(at);
    if (!line) return;
    for (const old of this.shown.list.querySelectorAll(".tv-flash")) old.classList.remove("tv-flash");
    this.shown.activate(line, focus);
    line.scrollIntoView({ block: "nearest" });
    line.classList.add("tv-flash");
  }

  /**
   * Says in a line what went wrong there.
   * @param {number} number
   * @param {string} text
   */
  fail(number, text) {
    this.shown.wanted.delete(number);
    const line = this.shown.elements.get(this.shown.live.places.get(number) ?? -1);
    if (!line) {
      this.say(text);
      return;
    }
    line.removeAttribute("aria-busy");
    line.dataset.said = text;
    line.classList.add("tv-failed");
    line.setAttribute("aria-description", text);
  }
}
