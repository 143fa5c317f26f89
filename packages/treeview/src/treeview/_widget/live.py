"""The widget: a live tree and the messages between it and its views.

What views send is one of a few requests whose fields are checked; nothing in them is evaluated.
What they get is the payload of a part, which their script puts in its place.
"""

import json
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

import anywidget
import traitlets

from treeview._guard import STOP, describe_error
from treeview._markup import BRANCHES, CORE, PICTURES, SCRIPT, read_static
from treeview._options import Options
from treeview._registry import default_registry
from treeview._rendering import Rendering
from treeview._widget.copying import text_to_copy
from treeview._widget.lazy import Part
from treeview._widget.messages import part_message
from treeview._widget.places import locate
from treeview._widget.search import Findings, search_object
from treeview._widget.tree import LiveTree, Place
from treeview._widget.unfolding import unfold

if TYPE_CHECKING:
    from collections.abc import Callable

_SHEETS = (CORE, BRANCHES, PICTURES, SCRIPT, "widget.css")
_LONGEST_QUERY = 1_000
# For how many views results are kept.
_SEARCHES = 8
_SAME = object()


class TreeWidget(anywidget.AnyWidget):
    """A tree in a notebook that asks the kernel for what is opened; `treeview.widget` makes it.

    The widget keeps the object and what it shows of it alive until it is closed or updated.

    Attributes:
        selected_path: The path of the selected part as Python text such as `.layers[0].weight`,
            `""` for the root, or None. It can be set and observed.
    """

    _esm = read_static("widget.min.js")
    _css = "".join(map(read_static, _SHEETS))
    _first = traitlets.Unicode("").tag(sync=True)
    _selection = traitlets.List(traitlets.Int()).tag(sync=True)
    selected_path = traitlets.Unicode(None, allow_none=True).tag(sync=True)

    def __init__(self, obj: object, options: Options) -> None:
        self._tree = LiveTree(obj, options, options.max_items, default_registry)
        self._place: Place | None = None
        self._key = ""
        self._chosen: Place | None = None
        self._lock = RLock()  # a training loop may update the tree while its reader opens parts
        self._findings: dict[int, Findings] = {}
        super().__init__(_first=json.dumps(part_message(self._tree, self._tree.root)))
        _untyped(self).on_msg(self._receive)

    @property
    def value(self) -> Any:
        """The object that is shown."""
        return self._tree.root.value

    @property
    def selected(self) -> Any:
        """The selected object as the tree shows it; None if nothing is selected."""
        return None if self._place is None else self._place.value()

    def update(self, obj: Any = _SAME) -> str:
        """Shows another object in place, with the same parts open and selected.

        What is different is marked in the tree until the next update, as far as both show it.

        Args:
            obj: The object; by default the same one, as it is now.

        Returns:
            How many values are changed, added and removed, in words; nothing if none are.
        """
        with self._lock:
            changes = str(self._tree.update(self._tree.root.value if obj is _SAME else obj))
            self._findings.clear()
            place = self._place and self._tree.still(self._place, self._key)
            self._send_part(self._tree.root, kind="tree", said=changes or "no changes")
            self._choose(place)
        return changes

    def close(self) -> None:
        """Ends the widget and lets go of the object."""
        super().close()
        self._place = None
        self._findings.clear()
        self._tree = LiveTree(None, self._tree.options, 1, default_registry)

    # What is selected

    @traitlets.validate("selected_path")
    def _check_path(self, proposal: Any) -> str:
        path: str = proposal["value"]  # None is not asked about
        known = self._chosen or self._place
        if known is not None and path == known.path():
            return path
        tree = self._tree
        try:
            with self._lock:
                positions = locate(path, tree.root.value, tree.options, default_registry)
                place, changed = tree.reveal(positions)
        except (ValueError, LookupError) as error:
            raise traitlets.TraitError(str(error)) from None
        if changed is not None:
            self._send_part(changed)
        self._keep(place)
        self._post({"kind": "reveal", "place": place.address()})
        return place.path()

    @traitlets.observe("selected_path")
    def _forget_place(self, change: Any) -> None:
        if change["new"] is None:
            self._place = None
            self._selection = []

    def _choose(self, place: Place | None) -> None:
        """Selects what a reader pointed at."""
        if place is None:
            self.selected_path = None
            return
        self._chosen = place
        self._keep(place)
        try:
            self.selected_path = place.path()
        finally:
            self._chosen = None

    def _keep(self, place: Place) -> None:
        self._place, self._key = place, place.key()
        self._selection = place.address()

    # Messages

    def _receive(self, _: object, content: Any, buffers: object) -> None:
        del buffers
        request = cast("dict[str, Any]", content) if type(content) is dict else {}
        kind = request.get("kind")
        answer = self._ANSWERS.get(kind) if isinstance(kind, str) else None
        if answer is None:
            return
        number = request.get("part")
        try:
            with self._lock:
                answer(self, request)
        except STOP:
            raise
        except LookupError as error:
            self._post({"kind": "failed", "part": number, "text": str(error)})
        except Exception as error:
            self._post({"kind": "failed", "part": number, "text": describe_error(error)})

    def _answer_hello(self, request: dict[str, Any]) -> None:
        if request.get("version") != self._tree.version:
            self._send_part(self._tree.root, kind="tree", said="", view=request.get("view"))

    def _answer_open(self, request: dict[str, Any]) -> None:
        part = self._part(request)
        self._tree.open(part)
        self._send_part(part)

    def _answer_more(self, request: dict[str, Any]) -> None:
        part = self._part(request)
        self._tree.show_more(part, before=request.get("before") is True)
        self._send_part(part)

    def _answer_select(self, request: dict[str, Any]) -> None:
        self._choose(self._requested(request))

    def _answer_value(self, request: dict[str, Any]) -> None:
        text, exact = text_to_copy(self._requested(request).shown(), self._tree.options)
        known = {name: _number(request.get(name)) for name in ("view", "serial")}
        self._post({"kind": "value", "text": text, "exact": exact, **known})

    def _answer_search(self, request: dict[str, Any]) -> None:
        query, serial = str(request.get("text"))[:_LONGEST_QUERY], _number(request.get("serial"))
        tree = self._tree
        found = search_object(tree.root.value, query, tree.options, default_registry)
        view = _number(request.get("view"))
        self._findings.pop(view, None)
        self._findings[view] = found
        if len(self._findings) > _SEARCHES:
            del self._findings[next(iter(self._findings))]
        counts = {"count": len(found.hits), "searched": found.searched, "all": found.complete}
        self._post({"kind": "found", "view": view, "serial": serial, **counts})

    def _answer_hit(self, request: dict[str, Any]) -> None:
        hit, view = _number(request.get("hit")), _number(request.get("view"))
        hits = self._findings.get(view, Findings()).hits
        if not 0 <= hit < len(hits):
            raise LookupError("The tree has changed since this search. Search again.")
        place, changed = self._tree.reveal(hits[hit])
        if changed is not None:
            self._send_part(changed)
        self._post({"kind": "hit", "view": view, "hit": hit, "place": place.address()})

    def _answer_paths(self, request: dict[str, Any]) -> None:
        view = _number(request.get("view"))
        found = self._findings.get(view, Findings())
        known = [path for path in found.paths if path]
        text = "".join(f"  {path!r},\n" for path in known)
        counts = {"count": len(known), "hits": len(found.hits)}
        self._post({"kind": "paths", "view": view, "text": f"[\n{text}]", **counts})

    def _answer_unfold(self, request: dict[str, Any]) -> None:
        depth = request.get("depth")
        done = unfold(self._tree, None if depth is None else _number(depth))
        if done.opened:
            self._send_part(self._tree.root, kind="tree")
        view = _number(request.get("view"))
        self._post({"kind": "unfolded", "view": view, "depth": depth, "left": done.left})

    _ANSWERS: "dict[str, Callable[[TreeWidget, dict[str, Any]], None]]" = {  # noqa: RUF012 - constant
        "hello": _answer_hello,
        "open": _answer_open,
        "more": _answer_more,
        "select": _answer_select,
        "search": _answer_search,
        "hit": _answer_hit,
        "paths": _answer_paths,
        "unfold": _answer_unfold,
        "value": _answer_value,
    }

    def _requested(self, request: dict[str, Any]) -> Place:
        part, child = self._part(request), _number(request.get("child"))
        if not -1 <= child < max(len(part.raw), 0):
            raise LookupError("This part is no longer in the tree. Look at what is there now.")
        return Place(part, child)

    def _part(self, request: dict[str, Any]) -> Part:
        return self._tree.part(_number(request.get("part")))

    def _send_part(self, part: Part, *, kind: str = "part", **more: Any) -> None:
        message = part_message(self._tree, part)
        self._post({"kind": kind, "part": part.number, **message, **more})

    def _post(self, message: dict[str, Any]) -> None:
        _untyped(self).send(message)

    # Without a kernel

    def _rendering(self) -> Rendering:
        return Rendering(self._tree.document, self._tree.options)

    def __repr__(self) -> str:
        return self._rendering().text()

    def _repr_mimebundle_(self, **_: Any) -> Any:
        bundle = _untyped(super())._repr_mimebundle_()
        if bundle is None:
            return None
        data, metadata = bundle
        rendering = self._rendering()
        static = {"text/plain": rendering.text(), "text/html": rendering.html()}
        return {**data, **static}, metadata


def _untyped(widget: Any) -> Any:
    """A widget whose libraries tell no types."""
    return widget


def _number(value: Any) -> int:
    """A number of a message.

    Raises:
        LookupError: It is none.
    """
    if type(value) is not int:
        raise LookupError("Expected a request with numbers. Reload the page.")
    return value
