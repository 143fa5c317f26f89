"""Configurations of OmegaConf, as they are written."""

import dataclasses

import omegaconf
from omegaconf import OmegaConf


def test_importing_treeview_imports_no_omegaconf(imported_by_treeview):
    assert imported_by_treeview("omegaconf", "treeview.adapters.omegaconf") == []


def test_missing_values_and_interpolations_are_shown_and_not_resolved(lines):
    config = OmegaConf.create(
        {
            "a": 1,
            "b": "???",
            "c": "${a}",
            "d": {"e": [1, "${nope}"]},
            "f": "${oc.env:NOT_THERE}",
            "g": None,
        }
    )
    assert lines(config, 70) == [
        "DictConfig({",
        "  'a': 1,",
        "  'b': <missing>,",
        "  'c': '${a}',",
        "  'd': DictConfig({'e': ListConfig([1, '${nope}'])}),",
        "  'f': '${oc.env:NOT_THERE}',",
        "  'g': None,",
        "})",
    ]


def test_whole_containers_may_be_missing_none_or_interpolations(shown):
    assert shown(omegaconf.DictConfig(None)) == "DictConfig(None)"
    assert shown(omegaconf.ListConfig("???")) == "ListConfig(<missing>)"
    assert shown(omegaconf.DictConfig("${a}")) == "DictConfig('${a}')"


def test_structured_and_frozen_configurations_say_so(shown):
    @dataclasses.dataclass
    class Settings:
        size: int = 3

    assert shown(OmegaConf.structured(Settings)) == "DictConfig({'size': 3})  # Settings"
    frozen = OmegaConf.create({"a": 1})
    OmegaConf.set_readonly(frozen, True)
    assert shown(frozen) == "DictConfig({'a': 1})  # readonly"


def test_a_configuration_is_rebuilt_from_its_roundtrip_text(shown):
    config = OmegaConf.create({"a": 1, "b": "???", "c": "${a}", "d": [1, {"e": 2}]})
    rebuilt = eval(shown(config, roundtrip=True), {"omegaconf": omegaconf})
    assert rebuilt == config


def test_broken_nodes_stay_where_they_are(survives):
    config = OmegaConf.create({"a": 1})
    config.__dict__["_content"]["a"].__dict__["_val"] = type(
        "Sour", (), {"__repr__": lambda self: 1 / 0}
    )()
    assert "ZeroDivisionError" in survives(config)
    config.__dict__["_content"] = None
    assert survives(config) == "DictConfig(None)"
