import types

import pytest

import place


def answer(text, status=200, **headers):
    return types.SimpleNamespace(content=text.encode(), text=text, status_code=status, headers=headers)


def test_values():
    a = answer('{"a": [{"b": 1}, {"b": 9007199254740993}], "c/d": "x", "e": 2.50}', 201, Server="s")
    assert place.values(a, "status") == ["201"]
    assert place.values(a, "header:Server") == ["s"]
    assert place.values(a, "header:None") == []
    assert place.values(a, "$.a[].b") == ["1", "9007199254740993"]
    assert place.values(a, "$.a[1].b") == ["9007199254740993"]
    assert place.values(a, "$['c/d']") == ['"x"']
    assert place.values(a, "$.c/d") == ['"x"']
    assert place.values(a, "$.e") == ["2.50"]
    assert place.values(a, "$.none.of[].it") == []
    assert place.values(answer("<html>"), "$") == ["<html>"]
    with pytest.raises(ValueError):
        place.values(a, "elsewhere")
