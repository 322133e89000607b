"""What is true of two sides' answers, found without Understudy.

Each side's log is rewritten by itself: a value that the side made is called
after the step and the place where it first stood. If both sides did the same,
the rewritten logs are equal to the letter, whatever the values are. A name of
one side is a name of the other if both are called the same.
"""

import dataclasses
import json
import re
import types
import urllib.parse

# What a service makes anew whenever it is asked, and what nobody uses again.
MASK, RANDOM = "masked", "random"

# Headers that follow from the connection, the server's make or the body's form.
IGNORED = {
    "date", "server", "connection", "keep-alive", "content-length", "transfer-encoding", "x-powered-by",
    "last-modified",
}

# Headers whose order means nothing.
SETS = {"allow", "vary", "access-control-allow-headers", "access-control-allow-methods", "access-control-expose-headers"}

# Headers of a request that name what is asked for.
CONDITIONS = ("if-match", "if-none-match")


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    body: object

    def response(self):
        """In the form that place.values reads."""
        content = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return types.SimpleNamespace(status_code=self.status, headers=self.headers, content=content.encode(), text=content)


class Side:
    """The names of one side, learned from its log. kind(step, path) says what
    the value at a path is: None, MASK, or the kind of thing that it names.
    Values of a kind that everywhere is a word of its own are renamed within
    texts as well."""

    def __init__(self, log, service, base=""):
        self.service, self.names, self.created, self.base = service, {}, set(), base
        for created in (True, False):
            for step in log:
                if (step.status == 201 or "location" in step.headers and step.status < 300) == created:
                    self._learn(step, created)

    def _learn(self, step, created):
        for path, kind, value in self.service.minted(step):
            name = f"<{kind} {step.name} {path}>"
            if self.names.setdefault((self.service.scope(step, kind), kind, str(value)), name) == name and created:
                self.created.add(name)

    def called(self, step, text):
        """What a text may name in the step's session."""
        names = {name for (scope, _, value), name in self.names.items() if value == text and scope in ("", step.session)}
        return names or {self.service.opened(self, step, text)}

    def is_told(self, step, answer):
        """Whether all names in an answer are of what its session had created, or
        times: of others nobody can be told which they are."""
        text = json.dumps([answer.headers, answer.body])
        return RANDOM not in text and all(
            kind == "time" or session == step.session and name in self.created
            for name, kind, session in re.findall(r"(<(\w+) (\w+)\.\d+ [^>]*>)", text)
        )

    def name(self, step, kind, value):
        return self.names.get((self.service.scope(step, kind), kind, str(value)))

    def answer(self, step):
        ignored = IGNORED.union(self.service.config.get("compare", {}).get("ignore_headers", ()))
        headers = {k: self._header(step, k, v) for k, v in step.headers.items() if k not in ignored}
        return Answer(step.status, self.service.headers(step, headers), self.document(step, step.body))

    def _header(self, step, name, value):
        if name in SETS:
            return ", ".join(sorted(value.split(", ")))
        if name == "content-type":
            return value.split(";")[0]
        return self.service.header(self, step, name, value)

    def document(self, step, body):
        try:
            document = json.loads(body)
        except ValueError:
            return self.text(step, body.decode("utf-8", "replace"))
        return self.service.document(step, self.walk(step, document))

    def walk(self, step, value, path=()):
        if isinstance(value, dict):
            return {k: self.walk(step, v, (*path, k)) for k, v in value.items()}
        if isinstance(value, list):
            return [self.walk(step, v, (*path, i)) for i, v in enumerate(value)]
        kind = self.service.kind(step, path)
        if kind in (MASK, RANDOM) and value is not None:
            return f"<{kind} {type(value).__name__}>"
        if kind and (name := self.name(step, kind, value)):
            return name
        return self.text(step, value) if isinstance(value, str) else value

    def text(self, step, value):
        return self.service.text(self, step, value)

    def request(self, step):
        """Method, path, query, body, and the headers that name something."""
        parts = urllib.parse.urlsplit(step.target)
        path = [self.service.segment(self, step, i, s) for i, s in enumerate(parts.path.split("/"))]
        query = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
        query = [(k, self.service.parameter(self, step, k, v)) for k, v in query]
        headers = {k: self.service.header(self, step, k, step.sent[k]) for k in CONDITIONS if k in step.sent}
        return step.method, path, query, headers, self.document(step, step.content)


def raw(step):
    """A request as it was sent, for comparing it with another."""
    return step.method, step.target, [step.sent.get(name) for name in CONDITIONS], step.content
