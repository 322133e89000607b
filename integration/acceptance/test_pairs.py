"""Pairs of real services from the package registries, recorded under real
clients, replayed and compared with configuration only. What Understudy says is
held against what the two sides truly said and did (truth.py), and against what
the candidate answers when the same clients ask it directly."""

import collections
import contextlib
import dataclasses
import itertools
import json

import pytest
import yaml

import driver
import pairs
import place
import traffic
import truth

PAIRS = [pairs.Kinto(), pairs.JsonServer(), pairs.Geo()]
# The pace of the recording, and as fast as the order within sessions allows.
RUNS = {"1x": ["--speed", "1"], "20x": ["--speed", "20", "--order"]}
# Where a run cannot be judged it is made again, at last in order.
ATTEMPTS = [[], [], ["--order"]]


@dataclasses.dataclass
class Side:
    """One system after the clients, or the replay, have been there."""

    log: list
    state: dict
    base: str


@dataclasses.dataclass
class Outcome:
    """A run: what the candidate saw, and what Understudy says of it."""

    pair: pairs.Pair
    run: str
    baseline: Side
    candidate: Side
    # The same clients at another instance of the candidate, without Understudy.
    direct: Side
    comparisons: dict
    discrepancies: list

    def steps(self):
        """Each recorded step with the messages of the candidate, of the replay
        and of the direct clients, and the comparison."""
        replayed = collections.defaultdict(list)
        for message in self.candidate.log:
            replayed[message.name].append(message)
        for ordinal, (step, direct) in enumerate(zip(self.baseline.log, self.direct.log, strict=True), 1):
            assert step.name == direct.name
            yield step, replayed[step.name], direct, self.comparisons[ordinal]


@contextlib.contextmanager
def recorder(platform, config, instance, baseline, port):
    process = driver.start(
        "--config", config, "record", "--instance", instance, "--listen", f"127.0.0.1:{port}", "--baseline", baseline,
        env=platform.env(),
    )
    try:
        driver.wait_for_port(port, process=process.child)
        yield
        assert process.interrupt() == 0, process.text("stderr")
    finally:
        process.close()


def record(platform, pair, folder):
    """Records the pair's clients, and lets them ask the candidate directly."""
    config = folder / "understudy.yaml"
    config.write_text(yaml.safe_dump(pair.config))
    platform.run("topics", "apply")
    platform.run("migrate")
    port = driver.free_port()
    public = f"http://127.0.0.1:{port}"
    (folder / "baseline").mkdir()
    with pair.baseline(folder / "baseline", public) as url:
        with recorder(platform, config, pair.name, url, port):
            log = traffic.play(public, pair.sessions())
        baseline = Side(log, dict(pair.state(url)), public)
    for attempt in range(len(ATTEMPTS)):
        (folder / f"direct-{attempt}").mkdir()
        with pair.candidate(folder / f"direct-{attempt}", None) as url:
            headers = pair.config.get("replay", {}).get("headers", {})
            later = [(name, {**own, **headers}, session) for name, own, session in pair.sessions()]
            log = traffic.play(url, later, follow=pair.follow)
            direct = Side(log, dict(pair.state(url)), url)
        if pair.usable(direct.state):
            break
    return config, baseline, direct


def in_turn(log):
    """Whether the requests of each session came one after the other, as the
    clients had sent them; without --order a slow machine may be too late."""
    sessions = collections.defaultdict(list)
    for step in {message.name: message for message in reversed(log)}.values():
        sessions[step.session].append(step)
    for steps in sessions.values():
        steps.sort(key=lambda step: step.name)
        if any(after.began < before.ended for before, after in itertools.pairwise(steps)):
            return False
    return True


def replay(platform, pair, config, run, folder, baseline, flags):
    """Replays the recording against a fresh candidate behind a witness."""
    with traffic.witness() as witness, pair.candidate(folder, witness.url) as url:
        witness.upstream = url.removeprefix("http://")
        platform.run(
            "--config", config, "replay", "--run", run, "--candidate", witness.url, "--isolated", "--recorder", pair.name, *flags,
            timeout=120,
        )
        order = {step.name: i for i, step in enumerate(baseline.log)}
        return Side(sorted(witness.log, key=lambda m: order[m.name]), dict(pair.state(url)), witness.url)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """What has been recorded of each pair, and in which folder."""
    return {pair.name: [tmp_path_factory.mktemp(pair.name), None] for pair in PAIRS}


@pytest.fixture(scope="module", params=itertools.product(PAIRS, RUNS), ids=lambda p: f"{p[0].name}-{p[1]}")
def outcome(request, platform, recordings):
    pair, pace = request.param
    folder, recorded = recordings[pair.name]
    config, baseline, direct = recordings[pair.name][1] = recorded or record(platform, pair, folder)
    for attempt, more in enumerate(ATTEMPTS):
        run = f"{pair.name}-{pace}-{attempt}"
        (folder / run).mkdir()
        candidate = replay(platform, pair, config, run, folder / run, baseline, [*RUNS[pace], *more])
        if pair.usable(candidate.state) and in_turn(candidate.log):
            break
    platform.run("--config", config, "compare", "--run", run, timeout=120)
    columns = ["ordinal", "verdict", "skipped", "route", "exchange_id"]
    rows = platform.rows(f"SELECT {', '.join(columns)} FROM comparisons WHERE run = '{run}'")
    comparisons = {row[0]: dict(zip(columns, row, strict=True)) for row in rows}
    columns = "exchange_id, route, path, location, kind::String, baseline, candidate"
    discrepancies = platform.rows(f"SELECT {columns} FROM discrepancies WHERE run = '{run}'")
    return Outcome(pair, run, baseline, candidate, direct, comparisons, discrepancies)


@pytest.fixture
def sides(outcome):
    """The names of the baseline, the replayed and the directly asked candidate."""
    return [truth.Side(s.log, outcome.pair, s.base) for s in (outcome.baseline, outcome.candidate, outcome.direct)]


def test_every_exchange_is_judged(platform, outcome):
    assert sorted(outcome.comparisons) == list(range(1, len(outcome.baseline.log) + 1))
    platform.run("runs", "balance", outcome.run)


def test_requests_go_to_the_same_things(outcome, sides):
    """Each request is the client's in the candidate's names, or what the same
    client asks the candidate, or is not sent."""
    base, replayed, direct = sides
    wrong = [
        f"{step.name} {step.method} {step.target}: {base.request(step)} became {messages[0].target}: {replayed.request(messages[0])}"
        for step, messages, asked, _ in outcome.steps()
        if messages and replayed.request(messages[0]) not in (base.request(step), direct.request(asked))
    ]
    assert not wrong, f"{len(wrong)} wrong requests\n" + "\n".join(wrong)


def test_needed_names_are_sent(outcome, sides):
    """What a direct client says in the candidate's own names, a replay says in
    them too; it is not left out."""
    base, replayed, direct = sides
    needed, amiss = 0, []
    for step, messages, asked, comparison in outcome.steps():
        if truth.raw(step) == truth.raw(asked) or direct.request(asked) != base.request(step):
            continue
        needed += 1
        if not messages or replayed.request(messages[0]) != base.request(step):
            amiss.append(f"{step.name} {step.method} {step.target}: {comparison['skipped'] or messages[0].target}")
    assert needed >= outcome.pair.needed
    assert not amiss, f"{len(amiss)} of {needed}\n" + "\n".join(amiss)


def test_what_was_replaced_is_in_the_table(platform, outcome, sides):
    """Each pair that was put into a request names one thing on both sides."""
    base, replayed, direct = sides
    replaced = collections.defaultdict(list)
    for ordinal, *pair in platform.rows(
        f"SELECT ordinal, recorded, candidate FROM substitutions WHERE run = '{outcome.run}' AND uses > 0"
    ):
        replaced[ordinal].append(pair)
    wrong = []
    for step, messages, asked, comparison in outcome.steps():
        pairs = replaced.pop(comparison["ordinal"], [])
        if truth.raw(step) != truth.raw(asked) and direct.request(asked) == base.request(step) and not pairs:
            wrong.append(f"{step.name} {step.method} {step.target}: nothing was replaced")
        wrong += [
            f"{step.name} {step.method} {step.target}: {recorded} = {candidate}"
            for recorded, candidate in pairs
            if not base.called(step, recorded) & replayed.called(step, candidate)
        ]
    assert not wrong and not replaced, "\n".join(wrong)


def verdicts(outcome, sides):
    base, replayed, _ = sides
    for step, messages, _, comparison in outcome.steps():
        if messages:
            answers = base.answer(step), replayed.answer(outcome.pair.final(messages))
            yield step, comparison, answers[0] == answers[1], answers


def test_no_match_where_the_answers_differ(outcome, sides):
    wrong = [
        f"{step.name} {step.method} {step.target}\n  {answers[0]}\n  {answers[1]}"
        for step, comparison, equal, answers in verdicts(outcome, sides)
        if not equal and comparison["verdict"] == "match"
    ]
    assert not wrong, f"{len(wrong)} false matches\n" + "\n".join(wrong)


def test_match_where_the_answers_agree(platform, outcome, sides):
    """A name that no create of the session tells is presumed to be one, no more."""
    places = collections.defaultdict(list)
    for exchange, *rest in platform.rows(
        "SELECT exchange_id, location, kind::String, baseline, candidate, noise_class FROM differences "
        f"WHERE run = '{outcome.run}' AND (noise_class = '' OR startsWith(noise_class, 'presumed'))"
    ):
        places[exchange].append(rest)
    base, wrong, matches, doubted = sides[0], [], 0, []
    for step, comparison, equal, (answer, _) in verdicts(outcome, sides):
        right = comparison["verdict"] == "match" or comparison["verdict"] == "presumed" and not base.is_told(step, answer)
        matches += equal and comparison["verdict"] == "match"
        if equal and comparison["verdict"] != "match":
            doubted.append(f"{step.name} {step.method} {step.target}: {comparison['verdict']} {places[comparison['exchange_id']]}")
        if equal and not right:
            wrong.append(f"{step.name} {step.method} {step.target}: {comparison['verdict']} {places[comparison['exchange_id']]}")
    assert not wrong, f"{len(wrong)} false verdicts\n" + "\n".join(wrong)
    assert matches >= outcome.pair.matches, f"{matches} match; of those that agree these do not\n" + "\n".join(doubted)


def test_each_difference_is_confirmed_directly(outcome, sides):
    """At the place of each discrepancy the baseline's answer differs from the
    replayed one and from what a client was told that asked the candidate."""
    base, replayed, asked = sides
    by_exchange = {comparison["exchange_id"]: rest for *rest, comparison in outcome.steps()}
    unconfirmed = []
    for exchange, route, path, *rest in outcome.discrepancies:
        step, messages, direct = by_exchange[exchange]
        expected = place.values(base.answer(step).response(), path)
        others = [replayed.answer(outcome.pair.final(messages)), asked.answer(direct)]
        if any(place.values(other.response(), path) == expected for other in others):
            unconfirmed.append(f"{step.name} {route} {path} {rest}")
    assert not unconfirmed, f"{len(unconfirmed)} of {len(outcome.discrepancies)}\n" + "\n".join(unconfirmed)


def test_known_differences_come_out(outcome):
    assert outcome.pair.expected <= {row[1:3] for row in outcome.discrepancies}


def test_the_things_left_are_the_same(outcome, sides):
    """Baseline, replayed and directly asked candidate hold the same things."""
    states = []
    for names, side in zip(sides, (outcome.baseline, outcome.candidate, outcome.direct), strict=True):
        state = {}
        for where, things in side.state.items():
            at = traffic.Step(f"{where}.state", "GET", f"/{where}", {}, b"")
            state[where] = sorted(json.dumps(names.walk(at, thing), sort_keys=True) for thing in things)
        states.append(state)
    assert states[2] == states[0], "the test's own names"
    assert states[1] == states[0]
