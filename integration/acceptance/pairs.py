"""Pairs of real services: how each is started, what its users do, how it is
replayed, and which of its values are names."""

import base64
import contextlib
import dataclasses
import json
import re
import time
import urllib.parse

import requests

import services
from truth import MASK, RANDOM


class Pair:
    """What pairs have in common; a pair overrides what it does otherwise."""

    # Settings of Understudy, the only thing that it is told about the pair.
    config = {}
    # How many requests need a name of the candidate, and how many answers match,
    # at least.
    needed = matches = 0
    # Differences that have to come out: route and path.
    expected = set()

    def follow(self, client, step):
        """What a user of the candidate does to learn how a request ended."""

    def scope(self, step, kind):
        """Names are known within a session or, "", everywhere."""
        return step.session

    def minted(self, step):
        """The names that stand in an answer: place, kind, value."""
        with contextlib.suppress(ValueError):
            yield from self._kinds(step, json.loads(step.body), ())

    def _kinds(self, step, value, path):
        if isinstance(value, dict | list):
            items = sorted(value.items()) if isinstance(value, dict) else enumerate(value)
            for k, v in items:
                yield from self._kinds(step, v, (*path, k))
        elif value is not None and (kind := self.kind(step, path)) not in (None, MASK, RANDOM):
            yield ".".join(map(str, path)), kind, value

    def final(self, messages):
        """The answer to a request, of all that was said under its step."""
        return messages[0]

    def headers(self, step, headers):
        """Those that a replay of this step is compared by."""
        return headers

    def usable(self, state):
        """Whether each thing left has a name of its own."""
        return True

    def document(self, step, document):
        """What the pair's rules leave of a document."""
        return document

    def header(self, side, step, name, value):
        return self.text(side, step, value)

    def segment(self, side, step, position, value):
        return self.text(side, step, value)

    def parameter(self, side, step, name, value):
        return self.text(side, step, value)

    def text(self, side, step, value):
        return value

    def opened(self, side, step, value):
        """What a value holds that names nothing itself."""
        return value


class Kinto(Pair):
    """Two versions of one store of records: ids, times, entity tags, pages."""

    name = "kinto"
    needed, matches = 150, 126
    RECORDS = "/v1/buckets/{bucket}/collections/{collection}/records"
    expected = {
        ("GET /v1/", "$.project_version"), ("GET /v1/", "$.http_api_version"), ("GET /v1/", "$.config"),
        (f"POST {RECORDS}", "status"),
    }
    config = {
        "record": {
            "redact": {"keep": ["Authorization"]},
            "routes": [
                "/v1/",
                "/v1/batch",
                "/v1/buckets/{bucket}",
                "/v1/buckets/{bucket}/history",
                "/v1/buckets/{bucket}/collections",
                RECORDS,
                RECORDS + "/{record}",
            ],
        },
        "compare": {
            "skew": "5s",
            "rules": [
                {
                    "name": "principals", "owner": "storage", "reason": "a set in another order for each process",
                    "path": "$.user.principals[]", "action": "unordered",
                },
                {
                    "name": "exposed-in-batch", "owner": "storage", "reason": "a set in another order for each process",
                    "path": "$.responses[].headers.Access-Control-Expose-Headers", "action": "ignore",
                },
            ],
        },
    }
    WORD = re.compile(r"[0-9A-Za-z_-]{8,}")
    TOKEN = re.compile(r"(_token=)([^&\s]+)")

    def baseline(self, folder, public):
        return services.kinto("16", folder)

    def candidate(self, folder, public):
        return services.kinto("26", folder)

    def sessions(self):
        for i in range(6):
            name = f"user{i}"
            yield name, self.authorization(name), self.session

    def authorization(self, name):
        return {"Authorization": "Basic " + base64.b64encode(f"{name}:secret".encode()).decode()}

    def session(self, c):
        def ask(*args, **kwargs):
            steps.append(c.ask(*args, **kwargs))
            return steps[-1]

        steps = []
        bucket = ask("POST", "/v1/buckets", {"data": {"label": c.session}}).json()["data"]["id"]
        yield
        at = f"/v1/buckets/{bucket}"
        collection = ask("POST", at + "/collections", {"data": {"label": "notes"}}).json()["data"]["id"]
        yield
        at = f"{at}/collections/{collection}/records"
        first = ask("POST", at, {"data": {"title": "first", "rank": 1}})
        yield
        one = first.json()["data"]["id"]
        second = ask("POST", at, {"data": {"title": "second", "rank": 2, "parent": one}})
        yield
        two = second.json()["data"]["id"]
        third = ask("POST", at, {"data": {"title": "third", "rank": 3, "see": f"after {one} and /records/{two}", "of": [one, two]}})
        yield
        three = third.json()["data"]["id"]
        ask("GET", f"{at}/{one}")
        yield
        seen = ask("GET", at + "?_sort=rank")
        yield
        changed = ask("PATCH", f"{at}/{one}", {"data": {"rank": 10}}, headers={"If-Match": first.headers["etag"]})
        yield
        ask("PUT", f"{at}/{one}", {"data": {"title": "stale"}}, headers={"If-Match": first.headers["etag"]})
        yield
        ask("GET", f"{at}/{one}", headers={"If-None-Match": changed.headers["etag"]})
        yield
        ask("GET", f"{at}/{one}", headers={"If-None-Match": first.headers["etag"]})
        yield
        ask("GET", f"{at}?_since={urllib.parse.quote(seen.headers['etag'])}")
        yield
        ask("GET", f"{at}?parent={one}")
        yield
        ask("GET", f"{at}?in_id={one},{three}&_sort=title")
        yield
        page = ask("GET", at + "?_sort=-rank&_limit=2")
        yield
        ask("GET", page.headers["next-page"])
        yield
        ask("HEAD", at)
        yield
        ask("PUT", f"{at}/{three}", {"data": {"title": "third, again", "parent": two, "rank": 3}})
        yield
        batch = ask("POST", "/v1/batch", {"requests": [
            {"method": "GET", "path": f"{at}/{one}"},
            {"method": "POST", "path": at, "body": {"data": {"title": "fourth", "parent": three}}},
            {"method": "PATCH", "path": f"{at}/{two}", "body": {"data": {"title": "second, again"}}},
        ]})
        yield
        four = batch.json()["responses"][1]["body"]["data"]["id"]
        ask("GET", f"{at}/{four}")
        yield
        ask("DELETE", f"{at}/{two}")
        yield
        ask("GET", f"{at}/{two}")
        yield
        ask("GET", f"{at}?_since={urllib.parse.quote(seen.headers['etag'])}&_sort=title")
        yield
        ask("POST", at, content=b"{not json", headers={"Content-Type": "application/json"})
        yield
        ask("POST", at, {"data": "not an object"})
        yield
        ask("GET", "/v1/buckets/nobody-made-this")
        yield
        ask("GET", f"/v1/buckets/{bucket}/history?_limit=3")
        yield
        ask("GET", "/v1/")
        yield

    def kind(self, step, path):
        if not path:
            return None
        kind = {
            "id": "id", "last_modified": "time", "ETag": "time", "date": MASK, "nonce": RANDOM, "Last-Modified": MASK,
            "Access-Control-Expose-Headers": MASK,
        }.get(path[-1])
        # An entry of the history has the record's time or, by chance, one that
        # is a millisecond later.
        return MASK if kind == "time" and step.path.endswith("/history") else kind

    def document(self, step, document):
        if isinstance(document, dict) and "user" in document:
            document["user"]["principals"].sort()
        return document

    def header(self, side, step, name, value):
        return MASK if name == "etag" and step.path.endswith("/history") else super().header(side, step, name, value)

    def minted(self, step):
        if (tag := step.headers.get("etag")) and not step.path.endswith("/history"):
            yield "header:etag", "time", tag.strip('"')
        for place, kind, value in super().minted(step):
            yield place, kind, str(value).strip('"')

    def text(self, side, step, value):
        value = self.TOKEN.sub(lambda m: m[1] + self._token(side, step, m[2]), value)
        if (base := side.base) and base in value:
            value = value.replace(base, "")
        return self.WORD.sub(lambda m: side.name(step, "id", m[0]) or side.name(step, "time", m[0]) or m[0], value)

    def parameter(self, side, step, name, value):
        return self._token(side, step, value) if name == "_token" else self.text(side, step, value)

    def opened(self, side, step, value):
        return self._token(side, step, value) if value.startswith("eyJ") else value

    def _token(self, side, step, value):
        inner = json.loads(base64.b64decode(urllib.parse.unquote(value)))
        return json.dumps(side.walk(step, inner), sort_keys=True)

    def state(self, url):
        for name, headers, _ in self.sessions():
            def get(path, headers=headers):
                got = requests.get(f"{url}/v1{path}", headers=headers, timeout=30)
                assert got.status_code == 200, f"{path}: {got.text}"
                return got.json()["data"]

            found = []
            for bucket in get("/buckets"):
                at = f"/buckets/{bucket['id']}"
                found.append(bucket)
                for collection in get(at + "/collections"):
                    found += [collection, *get(f"{at}/collections/{collection['id']}/records?_since=0")]
                found.append({"history": len(get(at + "/history"))})
            yield name, found


class JsonServer(Pair):
    """Two implementations of one interface: one counts its things, the other
    gives each four random hexadecimal digits."""

    name = "json-server"
    needed, matches = 76, 40
    expected = {
        ("POST /posts", "header:location"), ("GET /comments/{comment}", "header:content-type"),
        ("GET /authors/{author}", "status"), ("DELETE /comments/{comment}", "$.text"),
    }
    config = {
        "record": {"routes": ["/authors/{author}", "/posts/{post}", "/comments/{comment}"]},
        "compare": {
            "ignore_headers": [
                "access-control-allow-credentials", "access-control-allow-headers", "access-control-allow-methods",
                "access-control-allow-origin", "access-control-expose-headers", "cache-control", "expires", "pragma", "vary",
                "x-content-type-options", "etag",
            ],
        },
    }
    KINDS = {"author": "authors", "post": "posts", "comment": "comments"}

    def baseline(self, folder, public):
        return services.json_server("0.17", folder)

    def candidate(self, folder, public):
        return services.json_server("1.0", folder)

    def sessions(self):
        for i in range(4):
            yield f"writer{i}", {}, self.session

    def session(self, c):
        author = c.ask("POST", "/authors", {"name": c.session, "rank": 1}).json()["id"]
        yield
        first = c.ask("POST", "/posts", {"title": f"{c.session}, first", "views": 1, "authorId": author}).json()["id"]
        yield
        # Amounts that are written like somebody's id.
        second = c.ask("POST", "/posts", {"title": f"{c.session}, second", "views": 5, "authorId": author}).json()["id"]
        yield
        third = c.ask("POST", "/posts", {"title": f"{c.session}, third", "views": 9, "authorId": author}).json()["id"]
        yield
        comment = c.ask("POST", "/comments", {"text": "a", "stars": 2, "postId": first}).json()["id"]
        yield
        other = c.ask("POST", "/comments", {"text": "b", "stars": 1, "postId": first}).json()["id"]
        yield
        c.ask("POST", "/comments", {"text": "c", "stars": 3, "postId": second})
        yield
        c.ask("GET", f"/posts/{first}")
        yield
        c.ask("GET", f"/posts?authorId={author}&_sort=title")
        yield
        c.ask("GET", f"/comments?postId={first}")
        yield
        c.ask("GET", f"/comments?id={comment}")
        yield
        c.ask("GET", f"/posts/{first}?_embed=comments")
        yield
        c.ask("PATCH", f"/posts/{first}", {"views": 6})
        yield
        c.ask("PUT", f"/comments/{comment}", {"text": "moved", "stars": 5, "postId": second})
        yield
        c.ask("GET", f"/comments?postId={second}&_sort=text")
        yield
        got = c.ask("GET", f"/authors/{author}")
        yield
        c.ask("GET", f"/authors/{author}", headers={"If-None-Match": got.headers["etag"]} if "etag" in got.headers else {})
        yield
        c.ask("DELETE", f"/comments/{other}")
        yield
        c.ask("GET", f"/comments/{other}")
        yield
        c.ask("DELETE", f"/posts/{third}")
        yield
        c.ask("GET", "/posts/99999")
        yield
        c.ask("GET", f"/posts?authorId={author}")
        yield

    def scope(self, step, kind):
        return step.session if kind == "etag" else ""

    def kind(self, step, path):
        if not path or not isinstance(path[-1], str):
            return None
        if path[-1] == "id":
            around = [p for p in path[:-1] if isinstance(p, str)]
            return around[-1] if around else step.path.split("/")[1]
        return self.KINDS.get(path[-1].removesuffix("Id")) if path[-1].endswith("Id") else None

    def minted(self, step):
        if tag := step.headers.get("etag"):
            yield "header:etag", "etag", tag
        yield from super().minted(step)

    def header(self, side, step, name, value):
        if name == "if-none-match":
            return side.name(step, "etag", value) or value
        if name == "location":
            path = urllib.parse.urlsplit(value).path.split("/")
            return "/".join(self.segment(side, step, i, s) for i, s in enumerate(path))
        return value

    def segment(self, side, step, position, value):
        return side.name(step, step.path.split("/")[1], value) or value if position == 2 else value

    def parameter(self, side, step, name, value):
        kind = self.kind(step, (name,))
        return (kind and side.name(step, kind, value)) or value

    def state(self, url):
        for name in ("authors", "posts", "comments"):
            yield name, requests.get(f"{url}/{name}", timeout=30).json()

    def usable(self, state):
        """One of 65,536 names may be given twice: then nobody can say which
        thing it names."""
        return all(len({thing["id"] for thing in things}) == len(things) for things in state.values())


class Geo(Pair):
    """One service, asked to answer at once and asked to answer later: the
    result is behind a link in the job's document."""

    name = "pygeoapi"
    needed, matches = 40, 64
    config = {
        "record": {"routes": ["/processes/{process}/execution", "/jobs/{job}", "/jobs/{job}/results"]},
        "replay": {
            "headers": {"Prefer": "respond-async"},
            "routes": [{
                "route": "POST /processes/*/execution",
                "channel": "poll",
                "accepted": [201],
                "linger": "50ms",
                "unordered": True,
                "pending": {"pointer": "/status", "values": ["accepted", "running"]},
                "failed": {"pointer": "/status", "values": ["failed"]},
                "result_link": "/links/1/href",
            }],
        },
        "compare": {"skew": "5s"},  # a job may wait for a machine that has much to do
    }
    WORD = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

    def baseline(self, folder, public):
        return services.pygeoapi(folder, public)

    candidate = baseline

    def sessions(self):
        for i in range(4):
            yield f"caller{i}", {"Accept": "application/json"}, self.session

    def session(self, c):
        def run(process, inputs):
            return urllib.parse.urlsplit(c.ask("POST", f"/processes/{process}/execution", {"inputs": inputs}).headers["location"]).path

        job = run("hello-world", {"name": c.session})
        yield
        c.ask("GET", job)
        yield
        c.ask("GET", job + "/results?f=json")
        yield
        failed = run("hello-world", {"message": "for nobody"})
        yield
        c.ask("GET", failed)
        yield
        c.ask("GET", failed + "/results?f=json")
        yield
        slow = run("echo", {"echoInput": f"{c.session}, slowly", "pause": 0.1})
        yield
        c.ask("GET", slow + "/results?f=json")
        yield
        after = run("hello-world", {"name": c.session, "message": f"after {job.removeprefix('/jobs/')}."})
        yield
        c.ask("GET", after + "/results?f=json")
        yield
        c.ask("DELETE", job)
        yield
        c.ask("GET", job)
        yield
        c.ask("DELETE", job)
        yield
        c.ask("GET", "/jobs/nobody-made-this")
        yield
        run("hello-world", {"name": "last"})
        yield
        c.ask("POST", "/processes/nobody-made-this/execution", {"inputs": {}})
        yield
        c.ask("POST", "/processes/echo/execution", content=b"{not json", headers={"Content-Type": "application/json"})
        yield
        c.ask("GET", "/processes/hello-world")
        yield

    def follow(self, client, step):
        if step.status != 201:
            return
        job = urllib.parse.urlsplit(step.headers["location"]).path
        for _ in range(200):
            got = client.http.get(client.base + job, timeout=30)
            if got.json()["status"] not in ("accepted", "running"):
                break
            time.sleep(0.02)
        document = got.json()
        if document["status"] == "successful":
            got = client.http.get(document["links"][1]["href"], timeout=30)
        step.status = 400 if document["status"] == "failed" else got.status_code
        step.body = got.content

    def scope(self, step, kind):
        return ""

    def kind(self, step, path):
        if not path:
            return None
        return {"jobID": "job", "created": MASK, "started": MASK, "finished": MASK, "updated": MASK}.get(path[-1])

    def minted(self, step):
        if where := step.headers.get("location"):
            yield "header:location", "job", where.rsplit("/", 1)[1]
        yield from super().minted(step)

    def final(self, messages):
        first, last = messages[0], messages[-1]
        failed = first.status == 201 and not last.path.endswith("/results")
        return dataclasses.replace(last, method=first.method, status=400 if failed else last.status)

    def headers(self, step, headers):
        if step.method == "POST":
            return {k: v for k, v in headers.items() if k == "content-type"}
        return headers

    def text(self, side, step, value):
        if side.base:
            value = value.replace(side.base, "")
        return self.WORD.sub(lambda m: side.name(step, "job", m[0]) or m[0], value)

    def state(self, url):
        found = requests.get(f"{url}/jobs?f=json", timeout=30).json()["jobs"]
        yield "jobs", [
            {**job, "result": requests.get(f"{url}/jobs/{job['jobID']}/results?f=json", timeout=30).json()} for job in found
        ]
