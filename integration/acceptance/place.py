"""Looks up the place that a discrepancy names in an answer got by hand."""

import json


def values(response, path):
    """What the answer has at the path of a discrepancy, as a sorted list of
    texts; empty when it has nothing there.

    A path is "status", "header:<name>", "body" (the whole body), or a JSON
    Pointer into the body in which * stands for every position of an array.
    """
    if path == "status":
        return [str(response.status_code)]
    if path.startswith("header:"):
        value = response.headers.get(path.removeprefix("header:"))
        return [] if value is None else [value]
    if path == "body":
        return [response.text]
    try:
        found = [json.loads(response.content, parse_int=str, parse_float=str)]
    except ValueError:
        return [response.text]
    for part in path.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = [v for parent in found for v in _members(parent, name)]
    return sorted(json.dumps(v, sort_keys=True) for v in found)


def _members(parent, name):
    if isinstance(parent, list):
        return parent if name == "*" else [v for i, v in enumerate(parent) if str(i) == name]
    if isinstance(parent, dict):
        return list(parent.values()) if name == "*" and "*" not in parent else [parent[name]] if name in parent else []
    return []
