package comparator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestTimesOfOneAnswerAreInOrder: what came first came first on either side, however
// far apart the clocks are.
func TestTimesOfOneAnswerAreInOrder(t *testing.T) {
	const ms = time.Millisecond
	took := func(b, c time.Duration) func(*understudyv1.Replay) {
		return func(r *understudyv1.Replay) {
			r.Exchange.DurationNano, r.Candidate.AckServiceNano = b.Nanoseconds(), c.Nanoseconds()
		}
	}
	// said is a body in which each %s is a time, so many milliseconds after the request.
	said := func(body string, at func(time.Duration) string, offsets ...int) string {
		var times []any
		for _, o := range offsets {
			times = append(times, at(time.Duration(o)*ms))
		}
		return fmt.Sprintf(body, times...)
	}
	seconds := func(at func(time.Duration) string) func(time.Duration) string {
		return func(d time.Duration) string {
			x, err := time.Parse("2006-01-02T15:04:05.000Z", at(d))
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(x.Unix())
		}
	}
	f := func(want comparator.Verdict, what, body string, b, c []int, change ...func(*understudyv1.Replay)) {
		t.Helper()
		if got := judgement(t, get(said(body, recordedAt, b...), said(body, replayedAt, c...), change...)); got.Verdict != want {
			t.Errorf("%s: got %q", what, lines(got))
		}
	}
	type n = []int
	const match, presumed = comparator.Match, comparator.Presumed
	slow := took(3*time.Second, 3*time.Second)
	const task, list = `{"started_at":"%s","finished_at":"%s"}`, `[{"at":"%s"},{"at":"%s"},{"at":"%s"}]`
	f(match, "a slow task", task, n{0, 3000}, n{20, 2950}, slow)
	f(presumed, "a slow task, swapped", task, n{0, 3000}, n{3000, 0}, slow)
	f(presumed, "a slow task, in no time", task, n{0, 3000}, n{3000, 3000}, slow)
	f(match, "a task that is faster", task, n{0, 3000}, n{20, 110}, took(3*time.Second, 130*ms))
	f(match, "a task that is slower", task, n{0, 40}, n{5, 2900}, took(40*ms, 3*time.Second))
	f(match, "a slow list", list, n{0, 1000, 2000}, n{30, 980, 2100}, slow)
	f(presumed, "a slow list, reversed", list, n{0, 1000, 2000}, n{2000, 1000, 0}, slow)
	f(match, "a fast task", task, n{1, 41}, n{9, 30})
	f(presumed, "a fast task, swapped", task, n{1, 41}, n{41, 1})
	f(match, "a fast task, at once", task, n{1, 41}, n{30, 30})
	f(match, "the same moment, and almost", task, n{30, 30}, n{30, 31})
	f(match, "another clock", task, n{1, 41}, n{-20, 25})
	const posts = `{"posts":[{"text":"hi","at":"%s"},{"text":"hi","at":"%s"}]}`
	f(match, "posts", posts, n{10, 30}, n{5, 45})
	f(presumed, "posts, reversed", posts, n{10, 30}, n{45, 5})
	f(presumed, "in sentences", `{"a":"from %s on","b":"until %s"}`, n{10, 30}, n{30, 10})
	const valid = `{"valid_from":"%s","valid_to":"%s"}`
	f(match, "a second", valid, n{20, 970}, n{40, 990})
	f(presumed, "a second that is none", valid, n{20, 970}, n{20, 20})
	f(match, "some seconds", valid, n{20, 2520}, n{40, 2541})
	f(presumed, "some seconds, and fewer", valid, n{20, 2520}, n{20, 1620})
	f(match, "cut to seconds", valid, n{230, 60_000}, n{930, 60_000}, took(time.Second, time.Second))
	const ends = `{"ends":"%s","open":true}`
	f(match, "what ends", ends, n{800}, n{790})
	f(presumed, "what has ended", ends, n{800}, n{-20})
	// What was stored before, as the times say alone and as the session has shown it.
	f(match, "stored", posts, n{-500, -300}, n{-100, -60})
	f(presumed, "stored, reversed", posts, n{-500, -300}, n{-60, -100})
	shown := func(pairs ...int) func(*understudyv1.Replay) {
		return func(r *understudyv1.Replay) {
			for i := 0; i < len(pairs); i += 2 {
				knows("@time " + recordedAt(time.Duration(pairs[i])*ms) + "=" + replayedAt(time.Duration(pairs[i+1])*ms))(r)
			}
		}
	}
	f(match, "shown", posts, n{-5001, -2003}, n{-1001, -401}, shown(-5001, -1001, -2003, -401))
	f(presumed, "shown, reversed", posts, n{-5001, -2003}, n{-401, -1001}, shown(-5001, -401, -2003, -1001))
	f(match, "shown, and still ahead", valid, n{20_000, 22_000}, n{29_000, 22_000}, shown(20_000, 29_000))

	pair := func(want comparator.Verdict, what, baseline, candidate string, change ...func(*understudyv1.Replay)) {
		t.Helper()
		if got := judgement(t, get(baseline, candidate, change...)); got.Verdict != want {
			t.Errorf("%s: got %q", what, lines(got))
		}
	}
	epoch := func(b, c n) (string, string) {
		const body = `{"a":%s,"b":%s}`
		return said(body, seconds(recordedAt), b...), said(body, seconds(replayedAt), c...)
	}
	b, c := epoch(n{0, 3000}, n{0, 3000})
	pair(match, "seconds", b, c, slow)
	b, c = epoch(n{0, 3000}, n{3000, 0})
	pair(presumed, "seconds, swapped", b, c, slow)
	csv := func(r *understudyv1.Replay) {
		r.Exchange.Response.Headers[0].Value, r.Candidate.Ack.Headers[0].Value = []byte("text/csv"), []byte("text/csv")
	}
	const rows = "text,at\nhi,%s\nhi,%s\n"
	pair(match, "rows", said(rows, recordedAt, 10, 30), said(rows, replayedAt, 5, 45), csv)
	pair(presumed, "rows, reversed", said(rows, recordedAt, 10, 30), said(rows, replayedAt, 45, 5), csv)

	// Told later, by the candidate's callback.
	later := func(r *understudyv1.Replay) {
		r.Candidate.Completion = &understudyv1.Completion{
			Channel: understudyv1.Channel_CHANNEL_CALLBACK, Seen: 1, ServiceNano: (2 * time.Second).Nanoseconds(), Payload: r.Candidate.Ack,
		}
		r.Candidate.Ack = response(202, "")
	}
	const interval = `{"from":"%s","to":"%s"}`
	f(match, "a callback", interval, n{10, 40}, n{900, 1800}, later)
	f(presumed, "a callback, swapped", interval, n{10, 40}, n{1800, 900}, later)

	// What never ends, and what ends.
	for _, never := range []string{"2999-12-31T23:59:59.000Z", "9999-12-31T23:59:59.000Z"} {
		pair(match, "never", `{"until":"`+never+`"}`, `{"until":"`+never+`"}`)
		pair(comparator.Mismatch, "never, and some day", `{"until":"`+never+`"}`, `{"until":"2600-12-31T23:59:59.000Z"}`)
	}
	pair(comparator.Mismatch, "never, in two ways", `{"until":"2999-12-31T23:59:59.000Z"}`, `{"until":"9999-12-31T23:59:59.000Z"}`)

	// A control that turns them round as well excuses it.
	f(match, "as the baseline does", task, n{1, 41}, n{41, 1}, func(r *understudyv1.Replay) {
		r.Control = &understudyv1.Observation{Ack: response(200, said(task, replayedAt, 42, 2)), AckServiceNano: (50 * ms).Nanoseconds()}
		r.ControlSentUnixNano = r.SentUnixNano
	})
}

// TestTimesOutOfOrderAreExplained: each of them, and no other.
func TestTimesOutOfOrderAreExplained(t *testing.T) {
	const body = `{"a":"%s","b":"%s","c":"%s"}`
	const ms = time.Millisecond
	r := get(fmt.Sprintf(body, recordedAt(0), recordedAt(10*ms), recordedAt(20*ms)), fmt.Sprintf(body, replayedAt(0), replayedAt(20*ms), replayedAt(10*ms)))
	j, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	c, _ := j.Explain(r)
	if c.Totals != (comparator.Totals{Presumed: 2, Harmless: 1}) {
		t.Errorf("got %q", lines(c))
	}
	for _, d := range c.Differences {
		var why []string
		for _, reason := range d.Why.Reasons {
			why = append(why, reason.Text)
		}
		if said := strings.Contains(strings.Join(why, "; "), "no clock explains that"); said != d.Presumed() {
			t.Errorf("%s is %s: %q", d.Path, d.Noise, why)
		}
	}
}

// TestManyTimes: of 30,000 times two are swapped.
func TestManyTimes(t *testing.T) {
	many := func(at func(time.Duration) string, swap bool) string {
		var times []string
		for i := range 30_000 {
			if swap && (i == 7 || i == 20_011) {
				i = 20_018 - i
			}
			times = append(times, `"`+at(time.Duration(i%40)*time.Millisecond+time.Duration(i/40)*time.Millisecond)+`"`)
		}
		return "[" + strings.Join(times, ",") + "]"
	}
	for _, swap := range []bool{false, true} {
		want := map[bool]comparator.Verdict{false: comparator.Match, true: comparator.Presumed}[swap]
		if c := judgement(t, get(many(recordedAt, false), many(replayedAt, swap), func(r *understudyv1.Replay) {
			r.Exchange.DurationNano, r.Candidate.AckServiceNano = 1e9, 1e9
		})); c.Verdict != want {
			t.Errorf("swapped %v: %s, %+v", swap, c.Verdict, c.Totals)
		}
	}
}
