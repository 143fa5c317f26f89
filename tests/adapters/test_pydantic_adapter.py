"""Models of pydantic."""

import pydantic
import pytest
import treeview


class Inner(pydantic.BaseModel):
    items: list[int] = []


class Model(pydantic.BaseModel):
    model_config = {"extra": "allow"}
    name: str
    inner: Inner = Inner()
    password: pydantic.SecretStr = pydantic.SecretStr("hunter2")
    hidden: str = pydantic.Field(default="hunter3", repr=False)
    _cache: int = pydantic.PrivateAttr(default=3)

    @pydantic.computed_field
    def costly(self) -> int:
        raise RuntimeError("computed")


def test_importing_treeview_imports_no_pydantic(imported_by_treeview):
    assert imported_by_treeview("pydantic", "treeview.adapters.pydantic") == []


def test_a_model_shows_its_fields_and_keeps_its_secrets(lines):
    model = Model(name="Ann", inner=Inner(items=[1, 2]), age=5)
    assert lines(model) == [
        "Model(  # 1 of 3 fields at their defaults, 1 hidden",
        "  name='Ann',",
        "  inner=Inner(items=[1, 2]),",
        "  password=SecretStr('**********'),",
        "  age=5,",
        "  _cache=3,",
        ")",
    ]
    page = treeview.render_html(model)
    assert "hunter2" not in page
    assert "hunter3" not in page


def test_secrets_are_no_python_in_a_roundtrip(shown):
    text = shown(Model(name="Ann"), roundtrip=True)
    assert "hunter2" not in text
    assert "password=<SecretStr('**********')>" in text


def test_root_models_and_dataclasses_are_shown(shown):
    root = pydantic.create_model("Root", __base__=pydantic.RootModel[list[int]])
    assert shown(root([1])) == "Root(root=[1])"

    @pydantic.dataclasses.dataclass
    class Data:
        size: int = 1

    assert shown(Data()) == "Data(size=1)"


def test_a_model_is_rebuilt_from_its_roundtrip_text(shown):
    text = shown(Inner(items=[1, 2]), roundtrip=True)
    assert eval(text[text.index("Inner(") :], {"Inner": Inner}) == Inner(items=[1, 2])


def test_models_that_were_never_validated_or_lost_a_field_say_so(survives):
    assert survives(Inner.model_construct()) == "Inner(items=[])  # 1 of 1 fields at their defaults"
    assert survives(object.__new__(Inner)).startswith("Inner(items=<is missing>)")


def test_models_with_broken_methods_are_shown(survives):
    class Sour(Inner):
        def __getattr__(self, name):
            raise ValueError("boom")

        def __repr__(self):
            raise ValueError("boom")

        def __iter__(self):
            raise ValueError("boom")

    assert survives(Sour(items=[3])) == "Sour(items=[3])"
