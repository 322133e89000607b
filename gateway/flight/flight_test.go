package flight_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"understudy.dev/gateway/flight"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal is a Kafka that takes some writes and not others, and says so later.
type journal struct {
	mu      sync.Mutex
	fails   func() bool
	entries map[string]*understudyv1.InFlight
	gone    map[string]bool
	zombies []string // written after they were gone
	last    *understudyv1.InFlightTally
	said    sync.WaitGroup
}

func newJournal(fails func() bool) *journal {
	return &journal{fails: fails, entries: map[string]*understudyv1.InFlight{}, gone: map[string]bool{}}
}

func (j *journal) write(f func(), done func(error)) {
	j.mu.Lock()
	var err error
	if j.fails() {
		err = errors.New("no")
	} else {
		f()
	}
	j.mu.Unlock()
	j.said.Go(func() { done(err) })
}

func (j *journal) Put(e *understudyv1.InFlight, done func(error)) {
	j.write(func() {
		if j.gone[e.GetId()] {
			j.zombies = append(j.zombies, e.GetId())
		}
		j.entries[e.GetId()] = e
	}, done)
}

func (j *journal) Delete(_, id string, done func(error)) {
	j.write(func() { delete(j.entries, id); j.gone[id] = true }, done)
}

func (j *journal) Tally(t *understudyv1.InFlightTally, done func(error)) {
	j.write(func() { j.last = t }, done)
}

// keeper counts what it is told.
type keeper struct {
	mu                  sync.Mutex
	rollbacks, resolved int
}

func (k *keeper) Rollback(string) { k.mu.Lock(); k.rollbacks++; k.mu.Unlock() }
func (k *keeper) Resolved()       { k.mu.Lock(); k.resolved++; k.mu.Unlock() }

// TestLedger: whatever ends entries at the same time, each ends once, is told of a
// rollback at most once, and the journal, which fails now and then, has in the end
// what is open and nothing else.
func TestLedger(t *testing.T) {
	var lock sync.Mutex
	random := rand.New(rand.NewPCG(1, 2))
	fails := func() bool { lock.Lock(); defer lock.Unlock(); return random.IntN(3) == 0 }
	j := newJournal(fails)
	l, err := flight.New("m", "g", j, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() { defer close(ran); l.Run(ctx, func(route string) bool { return route == "back" }) }()
	const many = 300
	var group sync.WaitGroup
	keepers := make([]keeper, many)
	ended := make([]int, many)
	for i := range many {
		group.Go(func() {
			k, route := &keepers[i], []string{"back", "on"}[i%2]
			e := &understudyv1.InFlight{Id: fmt.Sprint(i), Route: route, Policy: flight.Finish}
			w := l.Accept(e, k)
			var ends sync.WaitGroup
			for how := range 5 { // at once; of the fifth nothing ends
				if i%10 == 9 {
					break
				}
				ends.Go(func() {
					switch how {
					case 3:
						w.Hold("why")
					case 4:
						l.Resolve(w.Entry())
					default:
						if w.End(flight.How(how)) {
							lock.Lock()
							ended[i]++
							lock.Unlock()
						}
					}
				})
			}
			ends.Wait()
		})
	}
	group.Wait()
	const open = many / 10
	until := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: %v", what, l.Tally())
			}
		}
	}
	until("the journal has what is open", func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		return len(j.entries) == open && len(j.gone) == many-open
	})
	for i := range keepers {
		if n := ended[i] + keepers[i].resolved; n != 1 && i%10 != 9 || n != 0 && i%10 == 9 {
			t.Errorf("entry %d ended %d times", i, n)
		}
	}
	// Those of i%10 == 9 are on the route that is not rolled back.
	for i := range keepers {
		if keepers[i].rollbacks > 1 || i%2 == 1 && keepers[i].rollbacks > 0 {
			t.Errorf("entry %d was told %d times of a rollback", i, keepers[i].rollbacks)
		}
	}
	if len(j.zombies) > 0 {
		t.Errorf("written after their end: %v", j.zombies)
	}
	cancel()
	<-ran
	j.said.Wait()
	tally := l.Tally()
	if tally.GetAccepted() != many || tally.GetPassed() != open || tally.GetPending()+tally.GetHeld() != 0 || !tally.GetFinal() ||
		tally.GetCompleted()+tally.GetFailed()+tally.GetHandedBack()+tally.GetResolved() != many-open {
		t.Errorf("tally %v", tally)
	}
}

// TestAdopt takes up each entry once, and tells its keeper of a rollback that was
// before.
func TestAdopt(t *testing.T) {
	j := newJournal(func() bool { return false })
	l, err := flight.New("m", "g", j, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	e := &understudyv1.InFlight{Id: "a", Route: "r", State: understudyv1.InFlight_STATE_ACCEPTED, Policy: flight.Hold}
	k := new(keeper)
	if l.Adopt(e, k) == nil || l.Adopt(e, new(keeper)) != nil {
		t.Error("adopted twice, or not at all")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() { defer close(ran); l.Run(ctx, func(string) bool { return true }) }()
	told := func() int { k.mu.Lock(); defer k.mu.Unlock(); return k.rollbacks }
	for end := time.Now().Add(20 * time.Second); told() == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	cancel()
	<-ran
	j.said.Wait()
	if told() != 1 || l.Tally().GetAdopted() != 1 {
		t.Errorf("told %d times, %v", told(), l.Tally())
	}
}
