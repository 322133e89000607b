package ledger_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/recorder/ledger"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

const second = int64(time.Second)

var now = time.Unix(1000, 0)

func exchange(name string, start int64, n uint64) *understudyv1.Exchange {
	return &understudyv1.Exchange{Recorder: name, RecorderStartUnixNano: start, Sequence: n, StartUnixNano: int64(n) * second}
}

func tally(number, served, recorded, pending uint64, dropped map[string]uint64) *understudyv1.Tally {
	return &understudyv1.Tally{
		Recorder: "r", StartUnixNano: 5, Number: number, TimeUnixNano: now.UnixNano() - second, IntervalNano: 10 * second,
		Served: served, Recorded: recorded, Pending: pending, Dropped: dropped,
	}
}

// f adds the exchanges of a life and its tallies and compares the balance.
func f(t *testing.T, numbers []uint64, tallies []*understudyv1.Tally, state, broken string, ranges ...ledger.Range) {
	t.Helper()
	l := ledger.New(time.Time{}, time.Time{})
	for _, n := range numbers {
		l.Exchange(exchange("r", 5, n))
	}
	for _, x := range tallies {
		l.Tally(x)
	}
	all := l.Balances(now)
	if len(all) != 1 {
		t.Fatalf("%d lives", len(all))
	}
	b := all[0]
	if got := strings.Join(b.Broken, "; "); b.State != state || b.Holds != (broken == "") || !strings.Contains(got, broken) || broken == "" && got != "" {
		t.Errorf("%s, holds %t: %q, want %s: %q", b.State, b.Holds, got, state, broken)
	}
	if diff := cmp.Diff(append([]ledger.Range{}, ranges...), b.Ranges); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func upTo(n uint64, without ...uint64) (out []uint64) {
	for i := uint64(1); i <= n; i++ {
		if !slices.Contains(without, i) {
			out = append(out, i)
		}
	}
	return out
}

func with(t *understudyv1.Tally, change func(*understudyv1.Tally)) *understudyv1.Tally {
	change(t)
	return t
}

func final(t *understudyv1.Tally)  { t.Final = true }
func killed(t *understudyv1.Tally) { t.Closed, t.Exact = true, true }
func closed(t *understudyv1.Tally) { t.Closed = true }
func quiet(t *understudyv1.Tally)  { t.TimeUnixNano -= 61 * second }

func TestALifeIsWeighed(t *testing.T) {
	drops := map[string]uint64{"memory": 1, "killed": 2}
	first := tally(1, 4, 3, 0, map[string]uint64{"memory": 1})
	f(t, upTo(9), []*understudyv1.Tally{tally(1, 9, 9, 0, nil)}, ledger.Running, "")
	f(t, upTo(12), []*understudyv1.Tally{tally(1, 9, 8, 1, nil)}, ledger.Running, "")
	f(t, upTo(12, 11), []*understudyv1.Tally{tally(1, 9, 9, 0, nil)}, ledger.Running, "", ledger.Range{First: 11, Last: 11, Why: []string{"not told yet"}})
	f(t, upTo(9), []*understudyv1.Tally{with(tally(1, 9, 9, 0, nil), final)}, ledger.Ended, "")
	f(t, upTo(9, 3), []*understudyv1.Tally{first, with(tally(2, 9, 8, 0, map[string]uint64{"memory": 1}), final)}, ledger.Ended, "",
		ledger.Range{First: 3, Last: 3, Why: []string{"memory"}})
	f(t, upTo(7, 3), []*understudyv1.Tally{first, with(tally(2, 9, 6, 0, drops), killed)}, ledger.Killed, "",
		ledger.Range{First: 3, Last: 3, Why: []string{"killed", "memory"}}, ledger.Range{First: 8, Last: 9, Why: []string{"killed"}})
	f(t, upTo(9, 3), []*understudyv1.Tally{with(tally(2, 9, 6, 0, drops), killed)}, ledger.Killed, "", ledger.Range{First: 3, Last: 3, Why: []string{"killed", "memory"}})
	f(t, upTo(6), []*understudyv1.Tally{with(tally(2, 9, 6, 0, nil), func(t *understudyv1.Tally) { t.Final, t.Spooled = true, 3 })}, ledger.Ended, "",
		ledger.Range{First: 7, Last: 9, Why: []string{"on disk"}})
	f(t, upTo(6), []*understudyv1.Tally{tally(1, 9, 6, 3, nil)}, ledger.Running, "", ledger.Range{First: 7, Last: 9, Why: []string{"pending"}})
}

func TestWhatIsMissingIsSeen(t *testing.T) {
	none := []string{}
	f(t, upTo(9, 5), []*understudyv1.Tally{with(tally(1, 9, 9, 0, nil), final)}, ledger.Ended, "9 are recorded, but 8 are there", ledger.Range{First: 5, Last: 5, Why: none})
	f(t, upTo(9, 5), []*understudyv1.Tally{tally(1, 9, 9, 0, nil)}, ledger.Running, "1 numbers are missing, but only 0", ledger.Range{First: 5, Last: 5, Why: none})
	f(t, upTo(9, 2, 3), []*understudyv1.Tally{with(tally(1, 9, 8, 0, map[string]uint64{"memory": 1}), final)}, ledger.Ended, "2 numbers are missing, but only 1",
		ledger.Range{First: 2, Last: 3, Why: []string{"memory"}})
	f(t, append(upTo(9), 4), []*understudyv1.Tally{with(tally(1, 9, 9, 0, nil), final)}, ledger.Ended, "1 records are there twice")
	f(t, upTo(9), []*understudyv1.Tally{with(tally(1, 9, 8, 0, nil), final)}, ledger.Ended, "served 9, but recorded 8")
	f(t, upTo(10), []*understudyv1.Tally{with(tally(1, 9, 9, 0, nil), final)}, ledger.Ended, "number 10 is recorded, but 9 were served")
	f(t, upTo(8), []*understudyv1.Tally{with(tally(1, 9, 8, 1, nil), final)}, ledger.Ended, "1 are pending after its end", ledger.Range{First: 9, Last: 9, Why: []string{"pending"}})
	// A kill leaves nothing that holds, be it closed by a successor who knows no
	// more, or by nobody.
	f(t, upTo(9), []*understudyv1.Tally{with(tally(1, 9, 9, 0, nil), closed)}, ledger.Unheard, "without its last word")
	f(t, upTo(9), []*understudyv1.Tally{with(tally(1, 9, 9, 0, nil), quiet)}, ledger.Unheard, "without its last word")
	f(t, upTo(9), nil, ledger.Unheard, "no tally")
}

// TestANameThatIsUsedAgainIsAnotherLife: its numbers do not mend the holes of
// the first.
func TestANameThatIsUsedAgainIsAnotherLife(t *testing.T) {
	l := ledger.New(time.Time{}, time.Time{})
	for _, n := range upTo(9, 5) {
		l.Exchange(exchange("r", 5, n))
	}
	for _, n := range upTo(9) {
		l.Exchange(exchange("r", 6, n))
	}
	l.Tally(with(tally(1, 9, 9, 0, nil), final))
	l.Tally(with(tally(1, 9, 9, 0, nil), func(t *understudyv1.Tally) { t.StartUnixNano, t.Final = 6, true }))
	all := l.Balances(now)
	if len(all) != 2 || all[0].Holds || all[0].Missing != 1 || !all[1].Holds || all[1].Missing != 0 {
		t.Errorf("%+v", all)
	}
}

func TestAWindowHasItsOwnHoles(t *testing.T) {
	g := func(from, to int64, missing uint64, holds bool) {
		t.Helper()
		l := ledger.New(time.Unix(from, 0), time.Unix(to, 0))
		for _, n := range upTo(90, 5, 50, 51) {
			l.Exchange(exchange("r", 5, n))
		}
		l.Tally(tally(1, 10, 9, 0, map[string]uint64{"memory": 1}))
		l.Tally(with(tally(2, 90, 88, 0, map[string]uint64{"memory": 2}), final)) // one is not explained
		b := l.Balances(now)[0]
		if b.Missing != missing || b.Holds != holds {
			t.Errorf("from %d to %d: %+v", from, to, b)
		}
	}
	g(20, 40, 0, true)
	g(2, 9, 1, true)
	g(45, 60, 2, false)
	l := ledger.New(time.Unix(500, 0), time.Unix(600, 0))
	l.Exchange(exchange("r", 5, 1))
	if got := l.Balances(now); len(got) != 0 {
		t.Errorf("a life that has nothing in the window: %+v", got)
	}
}

// TestHolesOfManyNumbers compares with a plain set over several blocks.
func TestHolesOfManyNumbers(t *testing.T) {
	without := map[uint64]bool{1: true, 63: true, 64: true, 65: true, 65535: true, 65536: true, 150_000: true}
	var numbers []uint64
	for n := range uint64(150_001) {
		if n > 0 && !without[n] && (n < 70_000 || n > 140_000) {
			numbers = append(numbers, n)
		}
	}
	l := ledger.New(time.Time{}, time.Time{})
	for _, n := range numbers {
		l.Exchange(exchange("r", 5, n))
	}
	l.Tally(tally(1, 150_000, uint64(len(numbers)), 150_000-uint64(len(numbers)), nil))
	b := l.Balances(now)[0]
	var got [][2]uint64
	for _, r := range b.Ranges {
		got = append(got, [2]uint64{r.First, r.Last})
	}
	want := [][2]uint64{{1, 1}, {63, 65}, {65535, 65536}, {70_000, 140_000}, {150_000, 150_000}}
	if diff := cmp.Diff(want, got); diff != "" || !b.Holds || b.Unique != uint64(len(numbers)) || len(slices.Collect(maps.Keys(without))) != 7 {
		t.Errorf("%v -want +got\n%s", b.Broken, diff)
	}
}
