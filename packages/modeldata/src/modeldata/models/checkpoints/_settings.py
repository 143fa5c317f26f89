"""Reading a model's settings by key, with errors that name the key and the value."""

from collections.abc import Iterable, Mapping
from typing import Any

from modeldata.models.checkpoints._errors import LoadError

_REQUIRED = object()


class Settings:
    """The settings of a checkpoint, read by key.

    A setting that is not understood is an error that names it and its value, because a model built
    without it would give other results than the one that was trained.
    """

    def __init__(self, values: Mapping[str, Any], source: str, prefix: str = "") -> None:
        """Wraps settings.

        Args:
            values: The settings.
            source: Where they come from, for error texts.
            prefix: The beginning of every key.
        """
        self._values = values
        self._source = source
        self._prefix = prefix

    def with_defaults(self, defaults: Mapping[str, Any]) -> "Settings":
        """Returns the same settings with values for those that are missing.

        Args:
            defaults: A value for each key, the prefix included.
        """
        given = {key: value for key, value in self._values.items() if value is not None}
        return Settings({**defaults, **given}, self._source, self._prefix)

    def get(self, key: str, default: Any = None) -> Any:
        """Returns a setting as it is; None counts as missing.

        Args:
            key: The key without the prefix.
            default: What is returned for a missing one.
        """
        value = self._values.get(self._prefix + key)
        return default if value is None else value

    def integer(self, key: str, default: Any = _REQUIRED) -> int:
        """Returns a whole number of at least 1.

        Args:
            key: The key without the prefix.
            default: What is returned for a missing one.

        Raises:
            LoadError: If it is missing without a default, or anything else.
        """
        value = self._given(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self._error(key, "a whole number of at least 1", value)
        return value

    def maybe_integer(self, key: str) -> int | None:
        """Returns a whole number of at least 1, or None if there is none.

        Args:
            key: The key without the prefix.

        Raises:
            LoadError: If it is anything else.
        """
        return None if self.get(key) is None else self.integer(key)

    def flag(self, key: str, *, default: Any = _REQUIRED) -> bool:
        """Returns True or False.

        Args:
            key: The key without the prefix.
            default: What is returned for a missing one.

        Raises:
            LoadError: If it is missing without a default, or anything else.
        """
        return self.choice(key, [True, False], default)

    def numbers(self, key: str) -> tuple[float, ...]:
        """Returns a list of numbers above 0.

        Args:
            key: The key without the prefix.

        Raises:
            LoadError: If it is missing, or anything else.
        """
        values = self._given(key, _REQUIRED)
        if not isinstance(values, list) or not all(
            isinstance(value, int | float) and value > 0 for value in values
        ):
            raise self._error(key, "a list of numbers above 0", values)
        return tuple(float(value) for value in values)

    def number(self, key: str, default: Any = _REQUIRED) -> float:
        """Returns a number above 0.

        Args:
            key: The key without the prefix.
            default: What is returned for a missing one.

        Raises:
            LoadError: If it is missing without a default, or anything else.
        """
        value = self._given(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise self._error(key, "a number above 0", value)
        return float(value)

    def maybe_number(self, key: str) -> float | None:
        """Returns a number above 0, or None if there is none.

        Args:
            key: The key without the prefix.

        Raises:
            LoadError: If it is anything else.
        """
        return None if self.get(key) is None else self.number(key)

    def choice(self, key: str, allowed: Iterable[Any], default: Any = _REQUIRED) -> Any:
        """Returns a setting that only some values are supported for.

        Args:
            key: The key without the prefix.
            allowed: The values that are supported.
            default: What is returned for a missing one.

        Raises:
            LoadError: If it is missing without a default, or another value.
        """
        value = self._given(key, default)
        choices = tuple(allowed)
        if value not in choices:
            wanted = " or ".join(map(repr, choices))
            raise self._error(key, wanted, value, "; other values are not supported")
        return value

    def part(self, key: str) -> "Settings":
        """Returns the settings that are nested under a key.

        Args:
            key: The key without the prefix.

        Raises:
            LoadError: If there are none.
        """
        value = self._given(key, _REQUIRED)
        if not isinstance(value, Mapping):
            raise self._error(key, "a group of settings", value)
        return Settings(value, f"`{self._prefix + key}` of {self._source}")

    def unsupported(self, key: str, wanted: str) -> LoadError:
        """Makes the error for a setting that is understood but not supported.

        Args:
            key: The key without the prefix.
            wanted: What is supported.
        """
        return self._error(key, wanted, self.get(key), "; other values are not supported")

    def _given(self, key: str, default: Any) -> Any:
        value = self.get(key, default)
        if value is _REQUIRED:
            raise LoadError(
                f"Expected the setting `{self._prefix + key}` in {self._source}, which has none of "
                "this name. The checkpoint is incomplete, or of another model family."
            )
        return value

    def _error(self, key: str, wanted: str, value: Any, more: str = "") -> LoadError:
        return LoadError(
            f"Expected the setting `{self._prefix + key}` to be {wanted}, but {self._source} has "
            f"{value!r}{more}."
        )
