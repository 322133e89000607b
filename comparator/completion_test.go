package comparator_test

import (
	"testing"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// called is a replay that was called back: the first completion and later ones.
func called(first *understudyv1.Response, later ...*understudyv1.Sighting) *understudyv1.Replay {
	return polled(first, first, func(d *understudyv1.Completion) {
		d.Channel, d.Later, d.Seen = understudyv1.Channel_CHANNEL_CALLBACK, later, uint32(1+len(later))
	})
}

func sighting(payload *understudyv1.Response) *understudyv1.Sighting {
	return &understudyv1.Sighting{Payload: payload}
}

func TestLaterCompletions(t *testing.T) {
	cfg := comparator.DefaultConfig()
	cfg.Rules = []comparator.Rule{
		{Name: "attempt", Action: "ignore", Path: "$.attempt", Owner: "o", Reason: "r"},
		{Name: "cents", Action: "tolerance", Path: "$.fee", Tolerance: "0.01", Owner: "o", Reason: "r"},
	}
	f := func(r *understudyv1.Replay, want ...string) {
		t.Helper()
		judge(t, cfg, r, want...)
	}
	paid := response(200, `{"paid":"5.00","fee":1,"attempt":1,"at":"2026-11-24T10:10:00Z"}`)
	f(called(paid), "match")
	f(called(paid, &understudyv1.Sighting{}), "duplicate") // the same bytes
	f(called(paid, sighting(response(200, `{"attempt":1,"fee":1.0,"at":"2026-11-24T10:10:00Z","paid":"5.00"}`))), "duplicate")
	// What a rule or a noise class explains is no contradiction.
	f(called(paid, sighting(response(200, `{"paid":"5.00","fee":1.005,"attempt":2,"at":"2026-11-24T10:10:01Z"}`))), "duplicate")
	f(called(paid, sighting(response(200, `{"paid":"5.00","fee":1,"attempt":1,"at":"2026-11-27T10:10:00Z"}`))), "contradictory",
		`completion completion outcome first completion: 200 {"paid":"5.00","fee":1,"attempt":1,"at":"2026-11-24T10:10:00Z"}|later completion: 200 {"paid":"5.00","fee":1,"attempt":1,"at":"2026-11-27T10:10:00Z"}`)
	plain := response(200, `{"n":1}`)
	f(called(plain, sighting(response(200, `{"n":2}`))), "contradictory", `completion completion outcome first completion: 200 {"n":1}|later completion: 200 {"n":2}`)
	f(called(plain, sighting(response(201, `{"n":1}`))), "duplicate")
	f(called(plain, sighting(response(409, `{"n":1}`))), "contradictory", `completion completion outcome first completion: 200 {"n":1}|later completion: 409 {"n":1}`)
	f(called(plain, &understudyv1.Sighting{Failed: true}), "contradictory", `completion completion outcome first completion: 200 {"n":1}|later completion: 200 {"n":1}`)
	f(called(plain, sighting(response(200, ""))), "contradictory", `completion completion outcome first completion: 200 {"n":1}|later completion: 200 `)
	// Both can hold, and each contradiction is shown.
	f(called(plain, sighting(response(200, `{"n":2}`)), &understudyv1.Sighting{}, sighting(response(200, `{"n":3}`))), "contradictory", "duplicate",
		`completion completion outcome first completion: 200 {"n":1}|later completion: 200 {"n":2}`, `completion completion outcome first completion: 200 {"n":1}|later completion: 200 {"n":3}`)
	// More were seen than kept.
	many := called(plain, &understudyv1.Sighting{})
	many.Candidate.Completion.Seen = 20
	f(many, "duplicate")
	// A monitor is asked again by us: it repeats itself, but must not contradict.
	ask := func(r *understudyv1.Replay) *understudyv1.Replay {
		r.Candidate.Completion.Channel = understudyv1.Channel_CHANNEL_POLL
		return r
	}
	f(ask(called(paid, sighting(response(200, `{"paid":"5.00","fee":1,"attempt":2,"at":"2026-11-24T10:10:01Z"}`)))), "match")
	for _, channel := range []understudyv1.Channel{understudyv1.Channel_CHANNEL_TOPIC, understudyv1.Channel_CHANNEL_SSE} {
		delivered := called(plain, &understudyv1.Sighting{})
		delivered.Candidate.Completion.Channel = channel
		f(delivered, "duplicate")
	}
	f(ask(called(plain, sighting(response(200, `{"n":2}`)))), "contradictory", `completion completion outcome first completion: 200 {"n":1}|later completion: 200 {"n":2}`)
	// A refusal has later completions too.
	refused := called(plain, sighting(response(200, `{"n":2}`)))
	refused.Exchange.Response = response(422, `{"e":1}`)
	f(refused, "rejected", "contradictory", `status status status 422 {"e":1}|200 {"n":1}`, `completion completion outcome first completion: 200 {"n":1}|later completion: 200 {"n":2}`)
}

// TestContradictions: two answers of one system call a thing by one name, whatever
// the names look like.
func TestContradictions(t *testing.T) {
	id := func(n string) string { return "0b7e6c1a-2d3f-4a5b-8c9d-0123456789" + n }
	for _, c := range []struct{ first, later, want string }{
		{`{"ref":"` + id("ab") + `"}`, `{"ref":"` + id("cd") + `"}`, "contradictory"},
		{`{"tracking_id":"trk_1001"}`, `{"tracking_id":"trk_1002"}`, "contradictory"},
		{`{"tracking_id":5048}`, `{"tracking_id":"cus_sX25UYv4"}`, "contradictory"},
		{`{"file":"/files/` + id("ab") + `"}`, `{"file":"/files/` + id("cd") + `"}`, "contradictory"},
		{`{"tok":"A8s7Df6gH5jK4l3M2n"}`, `{"tok":"q9W8e7R6t5Y4u3I2o1"}`, "contradictory"},
		{`{"from":"acc_7001","to":"acc_7002"}`, `{"from":"acc_7002","to":"acc_7001"}`, "contradictory"},
		{`{"say":"sent as ` + id("ab") + ` today"}`, `{"say":"sent as ` + id("cd") + ` today"}`, "contradictory"},
		{`{"t":"` + jwt(`{"jti":"A8s7Df6gH5jK4l3M2n"}`, "one") + `"}`, `{"t":"` + jwt(`{"jti":"q9W8e7R6t5Y4u3I2o1"}`, "two") + `"}`, "contradictory"},
		{`{"self":"http://shop.example/a"}`, `{"self":"/a"}`, "contradictory"},
		{`{"day":"2026-11-24"}`, `{"day":"2026-11-25"}`, "contradictory"},
		// What a rule or the time of the delivery explains.
		{`{"delivery":"` + id("ab") + `"}`, `{"delivery":"` + id("cd") + `"}`, "duplicate"},
		{`{"say":"sent at 2026-11-24T10:10:00Z"}`, `{"say":"sent at 2026-11-24T10:10:01Z"}`, "duplicate"},
		{`{"ref":"` + id("ab") + `"}`, `{"ref": "` + id("ab") + `" }`, "duplicate"},
	} {
		cfg := comparator.DefaultConfig()
		cfg.Rules = []comparator.Rule{{Name: "delivery", Action: "ignore", Path: "$.delivery", Owner: "o", Reason: "r"}}
		j, err := comparator.NewJudge(cfg)
		if err != nil {
			t.Fatal(err)
		}
		// Each delivery has fields of its own.
		r := called(response(200, c.first, "Webhook-Id: "+id("01"), "X-First: 1"), sighting(response(200, c.later, "Webhook-Id: "+id("02"))))
		r.Exchange.Request.Authority = "shop.example"
		if got := j.Judge(r); string(got.Verdict) != c.want {
			t.Errorf("%s, then %s: want %s, got %q", c.first, c.later, c.want, lines(got))
		}
	}
}

// TestLate: only what is proved, and never our own lag.
func TestLate(t *testing.T) {
	ok := response(200, `{"n":1}`)
	type facts struct{ pending, asked, done, stall int64 }
	f := func(channel understudyv1.Channel, ack int64, d facts, want string) {
		t.Helper()
		r := polled(ok, ok, func(c *understudyv1.Completion) {
			c.Channel, c.DeadlineNano, c.LatencyNano = channel, 100, 10_000 // sent far behind its time
			c.PendingNano, c.AskedNano, c.ServiceNano, c.StallNano = d.pending, d.asked, d.done, d.stall
		})
		r.Candidate.AckServiceNano = ack
		judge(t, comparator.DefaultConfig(), r, want)
	}
	const (
		callback = understudyv1.Channel_CHANNEL_CALLBACK
		poll     = understudyv1.Channel_CHANNEL_POLL
	)
	f(callback, 1, facts{done: 100}, "match")
	f(callback, 1, facts{done: 101}, "late")
	f(callback, 101, facts{done: 90}, "match")           // called before it was acknowledged
	f(callback, 1, facts{done: 130, stall: 30}, "match") // as much may be ours
	f(callback, 1, facts{done: 131, stall: 30}, "late")
	f(poll, 1, facts{pending: 130, asked: 500, done: 500, stall: 30}, "match")
	f(poll, 1, facts{pending: 131, asked: 500, done: 500, stall: 30}, "late")
	f(poll, 1, facts{asked: 500, done: 510}, "match") // nobody asked before
	f(poll, 1, facts{pending: 80, asked: 500, done: 510}, "match")
	f(poll, 1, facts{pending: 101, asked: 500, done: 500}, "late")
	f(poll, 1, facts{pending: 80, asked: 90, done: 111}, "late") // it kept the poll waiting
	f(poll, 101, facts{asked: 110, done: 110}, "late")           // nobody could ask before
	f(poll, 1, facts{pending: 101, done: 500}, "late")
	f(poll, 1, facts{pending: 80, done: 500}, "match")
	f(understudyv1.Channel_CHANNEL_UNSPECIFIED, 1, facts{}, "match")

	at := immediate(ok, ok, func(r *understudyv1.Replay) {
		r.Candidate.Completion.DeadlineNano, r.Candidate.Completion.ServiceNano, r.Candidate.Completion.LatencyNano = 100, 100, 500
	})
	judge(t, comparator.DefaultConfig(), at, "match")
	at.Candidate.Completion.ServiceNano = 101
	judge(t, comparator.DefaultConfig(), at, "late")
}
