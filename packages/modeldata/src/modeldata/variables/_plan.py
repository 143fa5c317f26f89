"""What compiled code depends on, and what it need not depend on: labels that nobody chose.

A state variable that is made without a label gets one from a counter, so a model that is built
again has other labels. Compiled code would be of no use for it if labels counted. They matter only
to a function that looks at them: one that freezes variables, takes them out or asks for a label. So
a function is first traced under a plan in which all automatic labels are alike, while the copies
that it works on watch whether anything looks at their labels. If something does, that trace is
given up, and this and all later calls with such a plan use one that holds the labels.
"""

import contextvars
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from modeldata.variables._origin import Call
from modeldata.variables._threading import run_on_copies
from modeldata.variables._variable import AbstractVariable, Signature

_pending: contextvars.ContextVar[Sequence[AbstractVariable]] = contextvars.ContextVar("pending")


class Plan(NamedTuple):
    """Everything about a call that a trace depends on, apart from shapes and dtypes.

    Attributes:
        treedefs: Structures of the arguments.
        layouts: For each of these trees and each of its leaves, the number of its variable, or -1.
        signatures: For each variable its kind, label, metadata, and structure of the value.
        statics: Values of static arguments by position or name.
        labels: The labels that nobody chose, if the trace depends on them.
    """

    treedefs: tuple[Any, ...]
    layouts: tuple[tuple[int, ...], ...]
    signatures: tuple[Signature, ...]
    statics: tuple[tuple[int | str, Hashable], ...] = ()
    labels: tuple[Any, ...] | None = None

    def difference(self, other: "Plan") -> str:
        """Returns in words in what this differs from another plan."""
        pairs = zip(_WORDS, self, other, strict=True)
        return next(word for word, mine, theirs in pairs if mine != theirs)


_WORDS = (
    "the structure of the arguments",
    "where variables are shared",
    "kinds, labels, metadata or structure of the variables",
    "static arguments",
    "labels of the variables",
)


class Planner:
    """Calls traced functions with plans that hold no more than they need.

    Args:
        transform: The name of the transform, for messages.
    """

    def __init__(self, transform: str) -> None:
        self._transform = transform
        self._with_labels: set[Plan] = set()

    def call(
        self,
        traced: Callable[..., Any],
        plan: Plan,
        variables: Sequence[AbstractVariable],
        *arguments: Any,
    ) -> Any:
        """Calls a function that is traced once for each plan.

        Args:
            traced: Takes a plan and `arguments`; when it is traced, it uses `trace`.
            plan: A plan without labels.
            variables: The variables outside.
            *arguments: Pytrees of arrays.
        """
        plan = self.completed(plan, variables)
        token = _pending.set(variables)
        try:
            try:
                return traced(plan, *arguments)
            except _LabelsSeen:
                self._with_labels.add(plan)
            return traced(_with_labels(plan, variables), *arguments)
        finally:
            _pending.reset(token)

    def completed(self, plan: Plan, variables: Sequence[AbstractVariable]) -> Plan:
        """Adds labels to a plan if traces under it were found to depend on them.

        Args:
            plan: A plan without labels.
            variables: The variables outside.
        """
        if self._with_labels and plan in self._with_labels:
            return _with_labels(plan, variables)
        return plan

    def trace(
        self, plan: Plan, body: Callable[[list[Any]], Any], values: Sequence[Any]
    ) -> tuple[Any, dict[int, Any]]:
        """Runs the inside of a call while it is traced.

        Args:
            plan: The plan.
            body: Takes copies of the variables.
            values: The values of the copies.

        Returns:
            The result, and new values of the variables that changed, by number.
        """
        variables = _pending.get()
        call = Call(self._transform)
        watcher = call if plan.labels is None else None
        watchers = [watcher if v.has_automatic_label else None for v in variables]
        outcome = run_on_copies(call, body, variables, values, watchers)
        if call.labels_seen:
            raise _LabelsSeen
        return outcome


class _LabelsSeen(Exception):  # noqa: N818  # it asks for another plan, and never gets out
    """A trace under a plan without labels looked at one."""


def _with_labels(plan: Plan, variables: Sequence[AbstractVariable]) -> Plan:
    # Reading a label tells the trace around this call, if there is one, that labels matter to it.
    return plan._replace(labels=tuple(v.label for v in variables if v.has_automatic_label))
