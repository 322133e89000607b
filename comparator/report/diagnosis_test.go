package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sound is a run in which nothing is wrong.
func sound() *Report {
	r := &Report{
		Run: Run{
			Name: "monday", State: "completed", Candidate: "http://127.0.0.1:9002", Selected: 1000, Replayed: 990,
			Skipped: map[string]uint64{"method_not_safe": 10},
		},
		Total: Score{Replays: 1000, Selected: 1000, Judged: 990, Match: 990, Skipped: 10},
	}
	r.Balance = Balance{Run: "monday", Selected: 1000, Replayed: 990, Skipped: 10, Written: 1000, Judged: 990, JudgedSkipped: 10, Holds: true, Control: ControlBalance{Holds: true}}
	return r
}

// TestDiagnose: each fault of a run is told with what mends it, and none is told
// of a run that has none.
func TestDiagnose(t *testing.T) {
	f := func(change func(*Report, *evidence), name string, want ...string) {
		t.Helper()
		r, e := sound(), evidence{}
		change(r, &e)
		r.diagnose(e)
		var names []string
		text := ""
		for _, d := range r.Diagnoses {
			names = append(names, d.Name)
			text += d.What + "\n" + d.Remedy + "\n" + d.Try + "\n"
		}
		if got := strings.Join(names, " "); got != name {
			t.Errorf("got %q, want %q", got, name)
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is not said:\n%s", name, w, text)
			}
		}
	}
	f(func(*Report, *evidence) {}, "")
	f(func(r *Report, _ *evidence) { r.Total, r.Balance.Holds = Score{}, false }, NotJudged, "understudy compare --run monday\n")
	f(func(r *Report, _ *evidence) { r.Total, r.Run.Selected = Score{}, 0 }, NotSelected, "--from")
	f(func(r *Report, _ *evidence) {
		r.Balance.Judged, r.Balance.Holds = 980, false
		r.Balance.explain()
	}, Unbalanced, "replayed 990 ≠ sum of verdicts 980: 10 missing", "10 of 1,000 replays", "understudy compare --run monday\n")
	f(func(r *Report, _ *evidence) {
		r.Balance.Written, r.Balance.Selected, r.Balance.Holds = 1000, 1001, false
		r.Balance.explain()
	}, Unbalanced, "understudy replay --run monday-2 --candidate http://127.0.0.1:9002\n")
	f(func(r *Report, _ *evidence) { r.Balance.Holds, r.Run.State = false, "running" }, "") // it may still come
	f(func(r *Report, _ *evidence) {
		r.Balance.Facts.Judgement = "0d67"
		r.Balance.Control = ControlBalance{Sampled: 50, Answered: 50, Judged: 40}
	}, Unbalanced, "The books of the control sample do not balance", "control: answered 50 ≠ judged with a control 40", "understudy judge monday --judgement 0d67\n")
	f(func(r *Report, _ *evidence) {
		r.Balance.Recorders = []RecorderBalance{{Recorder: "web-1", State: "ended", Served: 9, Recorded: 8, Stored: 8}, {Recorder: "web-2", Untallied: true, State: "odd"}}
	}, Unbalanced, "The books of a recorder do not balance", "recorder web-1: served 9 ≠ recorded 8", "recorder web-2: its books do not hold", "understudy recorder balance")

	f(func(_ *Report, e *evidence) { e.errors = map[string]uint64{"connect": 490, "timeout": 5} }, Unreachable,
		"495 of 990 requests (50.00 %)", "connect 490, timeout 5", "http://127.0.0.1:9002")
	f(func(_ *Report, e *evidence) { e.errors = map[string]uint64{"connect": 494} }, "")
	// What the user has said is not the candidate's fault.
	f(func(_ *Report, e *evidence) {
		e.errors = map[string]uint64{"connect": 490, "rewrite": 80, "unreadable": 20}
	}, NotApplied,
		"100 of 990 (10.10 %): rules of rewrite failed on 80 requests, which were not sent, and places of the protocol on 20 answers", "understudy sql ", "understudy show RUN ORDINAL says")
	f(func(_ *Report, e *evidence) { e.errors = map[string]uint64{"rewrite": 40} }, "")

	f(func(_ *Report, e *evidence) {
		e.unauthorized, e.looked, e.redacted = byRoute{{"GET /a", 80}, {"GET /b", 3}, {"GET /c", 2}, {"GET /d", 1}, {"GET /e", 1}}, 87, 86
	}, Unauthorized, "87 of 990 requests (8.79 %)", "GET /a 80, GET /b 3, GET /c 2, and 2 more routes", "86 of them has redacted values", `--header "Authorization: Bearer TOKEN"`)
	f(func(_ *Report, e *evidence) { e.unauthorized = byRoute{{"GET /a", 48}} }, "") // one in twenty is a matter of the requests
	f(func(_ *Report, e *evidence) { e.unordered = byRoute{{"GET /a", 80}} }, Unordered, "80 of 990 replays", "monday-2", "--order")

	f(func(_ *Report, e *evidence) {
		e.pending = []pendingRoute{{Route: "POST /orders/{id}", Status: 202, Replays: 100, Of: 100}, {Route: "GET /x", Status: 202, Replays: 1, Of: 100}}
	}, Pending, "202 Accepted was taken for the final answer of 100 replays", "  routes:\n    - route: 'POST /orders/{id}'\n      channel: poll\n      pending: {pointer: /status, values: ['pending', 'running']}\n")
	f(func(_ *Report, e *evidence) {
		e.pending = []pendingRoute{{Route: "POST /orders", Path: "$.state", Word: "In-Progress", Status: 200, Replays: 100, Of: 100}}
	}, Pending, `$.state "In-Progress"`, "    - route: POST /orders\n      channel: poll\n      accepted: [200]\n      pending: {pointer: /state, values: ['In-Progress']}\n")

	f(func(r *Report, _ *evidence) {
		r.Total = Score{Replays: 1000, Selected: 1000, Skipped: 1000}
		r.Run.Skipped = map[string]uint64{"method_not_safe": 999, "upgrade": 1}
	}, NotCompared, "Nothing was compared: of 1,000 selected 100 % skipped (method_not_safe 999, upgrade 1)", "--isolated")
	f(func(r *Report, _ *evidence) {
		r.Total = Score{Replays: 1000, Selected: 1000, Skipped: 100, Judged: 900, Match: 900}
		r.Run.Skipped = map[string]uint64{"method_not_safe": 60, "upgrade": 40}
	}, NotSafe, "60 of 1,000 selected requests (6.00 %) were not sent, because their methods are not safe", "--isolated")
	f(func(r *Report, _ *evidence) {
		r.Total = Score{Replays: 1000, Selected: 1000, Skipped: 100, Judged: 900, Match: 900}
		r.Run.Skipped = map[string]uint64{"method_not_safe": 40, "upgrade": 60}
	}, "") // the last lines of the run and the balance say it
	f(func(r *Report, _ *evidence) {
		r.Total = Score{Replays: 1000, Selected: 1000, Skipped: 10, Incomplete: 890, Judged: 990, Mismatch: 100}
		r.Incomplete = []Reason{{"a log has neither headers nor bodies", 890}}
	}, NotCompared, "Most of the run was not compared", "89.00 % incomplete (a log has neither", "understudy record")
	f(func(r *Report, e *evidence) { // the candidate's word is quoted, whatever it is
		r.Run.Candidate = "http://h/?a=1&b='$(x)'\x1b"
		e.unordered = byRoute{{"GET /a", 80}}
	}, Unordered, `--candidate 'http://h/?a=1&b='\''$(x)'\''\x1b' \`+"\n  --order")
}

func TestTrusted(t *testing.T) {
	f := func(b Balance, want bool) {
		t.Helper()
		if got := b.Trusted(); got != want {
			t.Errorf("%+v: got %v", b, got)
		}
	}
	control := ControlBalance{Holds: true}
	f(Balance{Holds: true, Control: control}, true)
	f(Balance{Holds: true, Control: ControlBalance{Sampled: 3, Answered: 3, Judged: 2}}, false)
	f(Balance{Holds: true, Control: control, Recorders: []RecorderBalance{{Holds: true}}}, true)
	f(Balance{Holds: true, Control: control, Recorders: []RecorderBalance{{Holds: true}, {}}}, false)
	f(Balance{}, false)
}

func TestTotal(t *testing.T) {
	routes := []Score{
		{Route: "a", Replays: 3, Selected: 3, Judged: 2, Skipped: 1, Match: 1, Rejected: 1, RejectedByBaseline: 1},
		{Route: "b", Replays: 2, Selected: 1, Judged: 1, Match: 1, Orphan: 1},
	}
	want := Score{Route: "total", Replays: 5, Selected: 4, Judged: 3, Skipped: 1, Match: 2, Rejected: 1, RejectedByBaseline: 1, Orphan: 1, MatchRate: 0.5}
	if diff := cmp.Diff(want, Total(routes)); diff != "" {
		t.Error(diff)
	}
}
