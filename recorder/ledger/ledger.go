// Package ledger compares what recorders say of themselves, their tallies, with
// what Kafka holds of them, their exchanges: how many, how many different ones,
// which numbers are missing, and why they may be.
package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Ledger gathers exchanges and tallies. It is not safe for concurrent use.
// Memory grows by a bit for each sequence number.
type Ledger struct {
	from, to time.Time
	lives    map[understudyv1.Life]*life
}

// life is what is known of one life of a recorder.
type life struct {
	last    *understudyv1.Tally
	changes []change
	seen    set
	records uint64
	highest uint64
	// low and high are the numbers of the window's exchanges.
	low, high uint64
}

// change is a tally from which on the drops were these.
type change struct {
	served  uint64
	dropped map[string]uint64
}

// New returns a ledger of the exchanges that started in [from, to); zero is
// open.
func New(from, to time.Time) *Ledger {
	return &Ledger{from: from, to: to, lives: map[understudyv1.Life]*life{}}
}

func (l *Ledger) life(of understudyv1.Life) *life {
	x := l.lives[of]
	if x == nil {
		x = &life{seen: set{}}
		l.lives[of] = x
	}
	return x
}

// Exchange adds an exchange that Kafka holds, be it within the window or not.
func (l *Ledger) Exchange(e *understudyv1.Exchange) {
	x, n := l.life(e.Life()), e.GetSequence()
	x.records++
	x.seen.add(n)
	x.highest = max(x.highest, n)
	start := time.Unix(0, e.GetStartUnixNano())
	if start.Before(l.from) || !l.to.IsZero() && !start.Before(l.to) {
		return
	}
	if x.low == 0 || n < x.low {
		x.low = n
	}
	x.high = max(x.high, n)
}

// Tally adds a tally. Those of one life come in the order of their numbers.
func (l *Ledger) Tally(t *understudyv1.Tally) {
	x := l.life(t.Life())
	if x.last.GetNumber() > t.GetNumber() {
		return
	}
	if len(x.changes) == 0 || !maps.Equal(x.last.GetDropped(), t.GetDropped()) {
		x.changes = append(x.changes, change{t.GetServed(), t.GetDropped()})
	}
	x.last = t
}

// States of a life.
const (
	// Running: its last tally is recent.
	Running = "running"
	// Ended: it shut down in order.
	Ended = "ended"
	// Killed: a successor has closed its books, which are exact.
	Killed = "killed"
	// Unheard: it ended without its last word, so that nobody knows what it
	// served since its last tally.
	Unheard = "unheard"
)

// silent is how long beyond three intervals a life may be silent; the view
// recorder_balance uses the same.
const silent = 30 * time.Second

func stateOf(t *understudyv1.Tally, now time.Time) string {
	switch {
	case t.GetFinal():
		return Ended
	case t.GetClosed() && t.GetExact():
		return Killed
	case t.GetClosed(), IsSilent(t, now):
		return Unheard
	}
	return Running
}

// IsSilent reports whether a life whose last tally is t has said nothing for so
// long that it does not run any more.
func IsSilent(t *understudyv1.Tally, now time.Time) bool {
	return now.Sub(time.Unix(0, t.GetTimeUnixNano())) > 3*time.Duration(t.GetIntervalNano())+silent
}

// Range is a series of sequence numbers that Kafka does not hold.
type Range struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	// Why are reasons for which exchanges were dropped after the first of them
	// was served, or where they are; none if nothing explains it.
	Why []string `json:"why"`
}

// Balance is what is known of one life.
type Balance struct {
	Recorder string    `json:"recorder"`
	Start    time.Time `json:"start"`
	State    string    `json:"state"`
	// What its last tally says.
	Served   uint64            `json:"served"`
	Recorded uint64            `json:"recorded"`
	Dropped  map[string]uint64 `json:"dropped"`
	Pending  uint64            `json:"pending"`
	Spooled  uint64            `json:"spooled"`
	// What Kafka holds: records, different ones, and the highest number.
	Records uint64 `json:"records"`
	Unique  uint64 `json:"unique"`
	Highest uint64 `json:"highest"`
	// Missing are the numbers of the window, [Low, High], that Kafka does not
	// hold.
	Low     uint64 `json:"low"`
	High    uint64 `json:"high"`
	Missing uint64 `json:"missing"`
	// Ranges are the first of them, at most maxRanges.
	Ranges []Range `json:"ranges"`
	// Broken says what does not hold.
	Broken []string `json:"broken"`
	Holds  bool     `json:"holds"`
}

// maxRanges bounds what is listed of one life.
const maxRanges = 1000

// Balances are those of all lives that have something in the window, by name
// and start.
func (l *Ledger) Balances(now time.Time) []Balance {
	var out []Balance
	whole := l.from.IsZero() && l.to.IsZero()
	for of, x := range l.lives {
		if x.high == 0 && !whole {
			continue
		}
		out = append(out, l.balance(of, x, now))
	}
	slices.SortFunc(out, func(a, b Balance) int {
		return cmp.Or(cmp.Compare(a.Recorder, b.Recorder), a.Start.Compare(b.Start))
	})
	return out
}

func (l *Ledger) balance(of understudyv1.Life, x *life, now time.Time) Balance {
	t := x.last
	b := Balance{
		Recorder: of.Recorder, Start: time.Unix(0, of.StartUnixNano).UTC(), State: stateOf(t, now),
		Served: t.GetServed(), Recorded: t.GetRecorded(), Dropped: t.GetDropped(), Pending: t.GetPending(), Spooled: t.GetSpooled(),
		Records: x.records, Unique: x.seen.size(), Highest: x.highest, Low: x.low, High: x.high, Ranges: []Range{}, Broken: []string{},
	}
	if l.from.IsZero() {
		b.Low = 1
	}
	if l.to.IsZero() {
		b.High = max(b.High, b.Served)
	}
	told := uint64(0) // missing numbers that the last tally knows of
	for first, last := range x.seen.holes(b.Low, b.High) {
		b.Missing += last - first + 1
		if first <= b.Served {
			told += min(last, b.Served) - first + 1
		}
		if len(b.Ranges) < maxRanges {
			b.Ranges = append(b.Ranges, Range{first, last, x.why(first, b)})
		}
	}
	b.check(l, x, told)
	b.Holds = len(b.Broken) == 0
	return b
}

// before are the drops of the last tally that came before a number was served.
func (x *life) before(n uint64) map[string]uint64 {
	var dropped map[string]uint64
	for _, c := range x.changes {
		if c.served < n {
			dropped = c.dropped
		}
	}
	return dropped
}

func (x *life) why(first uint64, b Balance) (why []string) {
	why = []string{}
	before := x.before(first)
	for _, reason := range slices.Sorted(maps.Keys(b.Dropped)) {
		if b.Dropped[reason] > before[reason] {
			why = append(why, reason)
		}
	}
	for what, n := range map[string]uint64{"on disk": b.Spooled, "pending": b.Pending} {
		if n > 0 {
			why = append(why, what)
		}
	}
	if first > b.Served {
		return []string{"not told yet"}
	}
	slices.Sort(why)
	return why
}

func sum(m map[string]uint64) (n uint64) {
	for _, v := range m {
		n += v
	}
	return n
}

// check finds what does not hold.
func (b *Balance) check(l *Ledger, x *life, told uint64) {
	broken := func(format string, args ...any) { b.Broken = append(b.Broken, fmt.Sprintf(format, args...)) }
	if x.last == nil {
		broken("it has written no tally, or retention has taken them")
		return
	}
	dropped := sum(b.Dropped)
	if got := b.Recorded + dropped + b.Pending + b.Spooled; got != b.Served {
		broken("served %d, but recorded %d + dropped %d + spooled %d + pending %d = %d", b.Served, b.Recorded, dropped, b.Spooled, b.Pending, got)
	}
	if b.Records > b.Unique && b.Start.UnixNano() != 0 {
		broken("%d records are there twice", b.Records-b.Unique)
	}
	if b.State == Unheard {
		broken("it has ended without its last word: what it served after its last tally is unknown")
		return
	}
	if b.State != Running && b.Highest > b.Served {
		broken("number %d is recorded, but %d were served", b.Highest, b.Served)
	}
	if b.State != Running && b.Pending > 0 {
		broken("%d are pending after its end", b.Pending)
	}
	if may := dropped - min(dropped, sum(x.before(b.Low))) + b.Pending + b.Spooled; told > may {
		broken("%d numbers are missing, but only %d are dropped, on disk or pending", told, may)
	}
	if !l.from.IsZero() || !l.to.IsZero() {
		return
	}
	late := b.Pending + b.Spooled + b.Dropped["killed"] // may be in Kafka without being counted as recorded
	switch {
	case b.Unique < b.Recorded:
		broken("%d are recorded, but %d are there: %d are gone, or retention has taken them", b.Recorded, b.Unique, b.Recorded-b.Unique)
	case b.State != Running && b.Unique > b.Recorded+late:
		broken("%d are there, but only %d are recorded", b.Unique, b.Recorded+late)
	}
}
