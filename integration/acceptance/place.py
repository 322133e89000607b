"""Looks up the place that a discrepancy names in an answer got by hand."""

import json
import re


def values(response, path):
    """What the answer has at the path of a discrepancy, as a sorted list of
    texts; empty when it has nothing there.

    A path is "status", "header:<name>", "$" (the whole body), or a path into
    the body, "$.items[].price" or "$.a['odd name']", in which [] stands for
    every position of an array.
    """
    if path == "status":
        return [str(response.status_code)]
    if path.startswith("header:"):
        value = response.headers.get(path.removeprefix("header:"))
        return [] if value is None else [value]
    if not path.startswith("$"):
        raise ValueError(f"no path of a discrepancy: {path}")
    try:
        found = [json.loads(response.content, parse_int=Number, parse_float=Number)]
    except ValueError:
        return [response.text]
    for step in STEP.finditer(path[1:]):
        found = [v for parent in found for v in _members(parent, step)]
    return sorted(_text(v) for v in found)


class Number(str):
    """A number by its text."""


STEP = re.compile(r"\.(?P<plain>[^.\[]+)|\['(?P<quoted>(?:[^'\\]|\\.)*)'\]|\[(?P<position>\d*)\]")


def _text(value):
    if isinstance(value, Number):
        return str(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _members(parent, step):
    if step["position"] is not None:
        if not isinstance(parent, list):
            return []
        return parent if step["position"] == "" else parent[int(step["position"]) :][:1]
    name = step["plain"] if step["plain"] is not None else step["quoted"].replace("\\'", "'")
    return [parent[name]] if isinstance(parent, dict) and name in parent else []
