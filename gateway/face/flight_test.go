package face_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"understudy.dev/gateway/face"
	"understudy.dev/gateway/flight"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// many are the requests in flight at the moment of a rollback.
const many = 200

// rollback has many requests in flight, rolls back, and returns the answers of
// the clients, of whom every other one has an idempotency key and every tenth has
// left before.
func rollback(t *testing.T, g *gate, after func()) map[string]int {
	t.Helper()
	g.finish(-1)
	statuses, lock := map[string]int{}, new(sync.Mutex)
	var clients sync.WaitGroup
	for i := range many {
		body := fmt.Sprint("o-", i)
		clients.Go(func() {
			var fields []string
			if i%2 == 0 {
				fields = []string{"Idempotency-Key", body}
			}
			a, err := g.ask(http.MethodPost, body, fields...)
			lock.Lock()
			defer lock.Unlock()
			if statuses[body] = a.status; err != nil {
				t.Errorf("%s: %v", body, err)
			}
		})
	}
	g.until("all are accepted", func() bool { return g.ledger.Tally().GetPending() == many })
	g.until("the journal has all", func() bool { return len(g.journal.copy()) == many })
	g.door.rolledBack.Store(true)
	after()
	clients.Wait()
	return statuses
}

// once fails the test unless each request happened so often.
func (g *gate) happened(t *testing.T, times int) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range many {
		if body := fmt.Sprint("o-", i); g.effects[body] != times {
			t.Errorf("%s happened %d times, not %d", body, g.effects[body], times)
		}
	}
}

// TestRollbackFinishes what the candidate has: nobody notices.
func TestRollbackFinishes(t *testing.T) {
	g := newGate(t, newSystems(t), nil)
	statuses := rollback(t, g, func() { time.Sleep(100 * time.Millisecond); g.finish(0) })
	for body, status := range statuses {
		if status != 201 {
			t.Errorf("%s: %d", body, status)
		}
	}
	g.until("the ledger is empty", func() bool { return len(g.journal.copy()) == 0 })
	g.happened(t, 1)
	if l := g.ledger.Tally(); l.GetCompleted() != many {
		t.Errorf("ledger %v", l)
	}
}

// TestRollbackHandsBack what the candidate cancels; what it does not is finished.
func TestRollbackHandsBack(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		s := newSystems(t)
		s.refuses = refuses
		g := newGate(t, s, func(c *face.Config) { cancelable(c); c.Routes[0].AtRollback = flight.HandBack })
		want, after := 200, func() {}
		if refuses {
			want, after = 201, func() { time.Sleep(200 * time.Millisecond); g.finish(0) }
		}
		for body, status := range rollback(t, g, after) {
			if status != want {
				t.Errorf("refuses %v, %s: %d", refuses, body, status)
			}
		}
		g.until("the ledger is empty", func() bool { return len(g.journal.copy()) == 0 })
		g.happened(t, 1)
		l := g.ledger.Tally()
		if handed := uint64(many); refuses && l.GetCompleted() != many || !refuses && l.GetHandedBack() != handed {
			t.Errorf("refuses %v: ledger %v", refuses, l)
		}
		balances(t, l)
		g.stop()
	}
}

// TestHandedBackWithoutAClient: the baseline gets it though nobody waits.
func TestHandedBackWithoutAClient(t *testing.T) {
	g := newGate(t, newSystems(t), func(c *face.Config) {
		cancelable(c)
		c.Routes[0].AtRollback, c.Completion.Deadline = flight.HandBack, 20*time.Millisecond
	})
	g.finish(-1)
	if a := g.must(http.MethodPost, "o"); a.status != 503 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	g.door.rolledBack.Store(true)
	g.until("handed back", func() bool { return g.ledger.Tally().GetHandedBack() == 1 })
	if g.effectsOf("o") != 1 {
		t.Error("its effect is missing")
	}
}

// TestRollbackHolds: clients are told, and a person says how each ended.
func TestRollbackHolds(t *testing.T) {
	g := newGate(t, newSystems(t), func(c *face.Config) { c.Routes[0].AtRollback = flight.Hold })
	for body, status := range rollback(t, g, func() {}) {
		if status != 503 {
			t.Errorf("%s: %d", body, status)
		}
	}
	g.happened(t, 0)
	held := g.journal.copy()
	if l := g.ledger.Tally(); l.GetHeld() != many || len(held) != many {
		t.Errorf("ledger %v, journal %d", l, len(held))
	}
	for _, e := range held {
		if e.GetState() != understudyv1.InFlight_STATE_HELD || e.GetReason() == "" || e.GetLocation() == "" || e.GetRoute() != "POST /orders" {
			t.Fatalf("entry %v", e)
		}
		g.ledger.Resolve(e)
		g.ledger.Resolve(e) // once counts
	}
	if l := g.ledger.Tally(); l.GetResolved() != many || l.GetHeld() != 0 || len(g.journal.copy()) != 0 {
		t.Errorf("ledger %v", l)
	}
	balances(t, g.ledger.Tally())
}

// TestNeverCompleted: it is left to a person, and counted as that.
func TestNeverCompleted(t *testing.T) {
	g := newGate(t, newSystems(t), func(c *face.Config) {
		c.Completion.Deadline, c.Completion.Timeout = 20*time.Millisecond, 100*time.Millisecond
	})
	g.finish(-1)
	if a := g.must(http.MethodPost, "o"); a.status != 503 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	g.until("held", func() bool { return g.ledger.Tally().GetHeld() == 1 })
	for _, e := range g.journal.copy() {
		if e.GetReason() != "no completion: timeout" {
			t.Errorf("entry %v", e)
		}
	}
}

// TestNextLife takes up what is left, without a client: it asks the status
// monitor, and leaves to a person where there is none.
func TestNextLife(t *testing.T) {
	s := newSystems(t)
	g := newGate(t, s, func(c *face.Config) { c.Completion.Deadline = 20 * time.Millisecond })
	g.finish(-1)
	g.must(http.MethodPost, "o")
	g.stop()
	left := g.journal.copy()
	if l := g.journal.tally; len(left) != 1 || l.GetPassed() != 1 || !l.GetFinal() {
		t.Fatalf("left %v, tally %v", left, l)
	}
	balances(t, g.journal.tally)
	next := newGate(t, s, nil)
	for _, e := range left {
		next.journal.entries[e.GetId()] = e
		next.face.Adopt(e)
		next.face.Adopt(e) // as if it were read twice
		next.face.Adopt(&understudyv1.InFlight{Id: "x", Route: "POST /orders", State: understudyv1.InFlight_STATE_ACCEPTED})
		next.face.Adopt(&understudyv1.InFlight{Id: "y", Route: "POST /other", State: understudyv1.InFlight_STATE_ACCEPTED, Location: "/jobs/1"})
	}
	next.finish(0)
	next.until("completed", func() bool { return next.ledger.Tally().GetCompleted() == 1 })
	if l := next.ledger.Tally(); l.GetHeld() != 2 || l.GetAdopted() != 3 {
		t.Errorf("ledger %v", l)
	}
	balances(t, next.ledger.Tally())
	if s.effectsOf("o") != 1 {
		t.Error("its effect is missing")
	}
}

// TestJournalAway: what it has not taken it gets when it is back.
func TestJournalAway(t *testing.T) {
	g := newGate(t, newSystems(t), func(c *face.Config) { c.Completion.Deadline = 20 * time.Millisecond })
	g.journal.mu.Lock()
	g.journal.away = true
	g.journal.mu.Unlock()
	g.finish(0)
	g.must(http.MethodPost, "done")
	g.finish(-1)
	g.must(http.MethodPost, "left")
	g.journal.mu.Lock()
	if g.journal.away = false; len(g.journal.entries) != 0 {
		t.Error("it has something")
	}
	g.journal.mu.Unlock()
	g.until("it has what is left", func() bool { return len(g.journal.copy()) == 1 })
}

// TestSecretAddress is not kept.
func TestSecretAddress(t *testing.T) {
	s := newSystems(t)
	s.accept = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/jobs/1?secret=x")
		w.WriteHeader(http.StatusAccepted)
	}
	g := newGate(t, s, func(c *face.Config) { c.Completion.Deadline = 20 * time.Millisecond })
	g.must(http.MethodPost, "o")
	for _, e := range g.journal.copy() {
		if e.GetLocation() != "" {
			t.Errorf("entry %v", e)
		}
	}
}

// TestNextLifeFindsItCanceled: the life before had it canceled, and nobody knows
// whether the baseline got it.
func TestNextLifeFindsItCanceled(t *testing.T) {
	s := newSystems(t)
	s.finish(-1)
	s.jobs["7"] = &job{body: "o", isCanceled: true}
	g := newGate(t, s, cancelable)
	g.face.Adopt(&understudyv1.InFlight{Id: "x", Route: "POST /orders", State: understudyv1.InFlight_STATE_ACCEPTED, Location: "/jobs/7", Monitor: "operation"})
	g.until("it is left to a person", func() bool { return g.ledger.Tally().GetHeld() == 1 })
	if l := g.ledger.Tally(); l.GetFailed() != 0 {
		t.Errorf("ledger %v", l)
	}
}

// TestHandedOverIsHeldMeanwhile: whoever reads the ledger while the baseline has
// it, because the gateway was killed, does not take it for one that is awaited.
func TestHandedOverIsHeldMeanwhile(t *testing.T) {
	s := newSystems(t)
	during := make(chan understudyv1.InFlight_State, 1)
	var g *gate
	s.baseline.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		for _, e := range g.journal.copy() {
			during <- e.GetState()
		}
	})
	g = newGate(t, s, func(c *face.Config) { cancelable(c); c.Routes[0].AtRollback = flight.HandBack })
	g.finish(-1)
	done := make(chan answer, 1)
	go func() { a, _ := g.ask(http.MethodPost, "o"); done <- a }()
	g.until("accepted", func() bool { return g.ledger.Len() == 1 })
	g.door.rolledBack.Store(true)
	if a, state := <-done, <-during; a.status != 200 || state != understudyv1.InFlight_STATE_HELD {
		t.Errorf("%d, meanwhile it was %v", a.status, state)
	}
	g.until("handed back", func() bool { return g.ledger.Tally().GetHandedBack() == 1 && len(g.journal.copy()) == 0 })
}
