package replayer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"understudy.dev/exchange/message"
	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Rewinder is a Source that can give its exchanges once more. What it counts goes
// on.
type Rewinder interface {
	Rewind(ctx context.Context) error
}

// timed is an exchange and when it is taken to have begun: at its own moment,
// within its second, and in a later lap or clone later.
type timed struct {
	*understudyv1.Exchange
	start      time.Time
	isSpread   bool          // over its second
	shift      time.Duration // of the lap and the clone
	lap, clone uint32        // from 1
}

// copyOf is a lap and a clone: what is learned in one does not hold in another.
type copyOf struct{ lap, clone uint32 }

// maxCloneBytes bounds about what the exchanges hold that clones have not come to.
const maxCloneBytes = 256 << 20

// clones gives each exchange once for each of the users that a recorded one
// stands for. All sessions of one clone begin later by one time, so that whatever
// one needs of another is there in it as in the recording.
type clones struct {
	shifts []time.Duration // by clone; that of the first is 0
	next   []int           // by clone: its next exchange in held, behind base
	base   int             // exchanges that all clones have passed
	held   []timed         // the oldest first, their times ascending
	bytes  int64
	err    error
}

// newClones spreads n clones over a time, each at random within its share of it
// and for one seed always alike.
func newClones(n int, spread time.Duration, seed uint64) *clones {
	c := &clones{shifts: make([]time.Duration, n), next: make([]int, n)}
	for i := 1; i < n; i++ {
		part := float64(i-1) + rand.New(rand.NewPCG(seed, uint64(i))).Float64()
		c.shifts[i] = time.Duration(part / float64(n-1) * float64(spread))
	}
	return c
}

func (c *clones) of(in iter.Seq[timed]) iter.Seq[timed] {
	return func(yield func(timed) bool) {
		var last time.Time
		for x := range in {
			if len(c.shifts) == 1 {
				if x.clone = 1; !yield(x) {
					return
				}
				continue
			}
			if x.start.Before(last) {
				x.start = last // read too late for its place
			}
			last = x.start
			if !c.give(last, yield) {
				return
			}
			c.held = append(c.held, x)
			if c.bytes += weight(x.Exchange); c.bytes > maxCloneBytes {
				c.err = fmt.Errorf("what is recorded within multiply_spread takes more than %d MiB; make it shorter", maxCloneBytes>>20)
				return
			}
		}
		c.give(time.Time{}, yield)
	}
}

// give yields what begins before a time, all if that is zero; false if it is to
// end.
func (c *clones) give(before time.Time, yield func(timed) bool) bool {
	for {
		clone, start := -1, time.Time{}
		for i, at := range c.next {
			if at-c.base == len(c.held) {
				continue
			}
			if t := c.held[at-c.base].start.Add(c.shifts[i]); clone < 0 || t.Before(start) {
				clone, start = i, t
			}
		}
		if clone < 0 || !before.IsZero() && !start.Before(before) {
			return true
		}
		x := c.held[c.next[clone]-c.base]
		x.start, x.shift, x.clone = start, x.shift+c.shifts[clone], uint32(clone+1) //nolint:gosec // at most MaxMultiply
		c.next[clone]++
		c.pass()
		if !yield(x) {
			return false
		}
	}
}

// pass forgets what all clones have passed.
func (c *clones) pass() {
	least := c.next[0]
	for _, at := range c.next {
		least = min(least, at)
	}
	for ; c.base < least; c.base++ {
		c.bytes -= weight(c.held[0].Exchange)
		c.held[0] = timed{}
		c.held = c.held[1:]
	}
}

// laps gives the exchanges of a source, their seconds spread, lap after lap and
// clone beside clone, by ascending times. A lap begins behind the last one by the
// mean time between two requests.
func (r *Replayer) laps(ctx context.Context, fail func(error)) iter.Seq[timed] {
	return func(yield func(timed) bool) {
		var shift time.Duration
		seconds := seconds{}
		for lap := uint32(1); ; lap++ {
			var first, last time.Time
			n := 0
			failed := false
			once := newClones(r.cfg.Multiply, r.cfg.MultiplySpread, r.cfg.Seed)
			for x := range once.of(seconds.of(r.unrepeated(read(ctx, r.source, func(err error) { failed = true; fail(err) })))) {
				if n++; n == 1 {
					first = x.start
				}
				last = x.start
				x.start, x.shift, x.lap = x.start.Add(shift), x.shift+shift, lap
				if !yield(x) {
					return
				}
			}
			if once.err != nil {
				fail(once.err)
				return
			}
			if failed || n == 0 || ctx.Err() != nil || r.cfg.Loop != 0 && int(lap) >= r.cfg.Loop {
				return
			}
			if err := r.rewind(ctx); err != nil {
				fail(err)
				return
			}
			shift += lapLength(last.Sub(first), n)
		}
	}
}

// lapLength is how long after the begin of a lap of n requests the next begins.
func lapLength(span time.Duration, n int) time.Duration {
	if n < 2 || span <= 0 {
		return span + time.Second
	}
	return span + max(span/time.Duration(n-1), 1)
}

func (r *Replayer) rewind(ctx context.Context) error {
	again, ok := r.source.(Rewinder)
	if !ok {
		return errors.New("the recording cannot be read again for another lap")
	}
	return again.Rewind(ctx)
}

// unrepeated leaves out what a lap has had before.
func (r *Replayer) unrepeated(in iter.Seq[*understudyv1.Exchange]) iter.Seq[*understudyv1.Exchange] {
	return func(yield func(*understudyv1.Exchange) bool) {
		var seen repeats
		for e := range in {
			if seen.again(e) {
				r.books.unselected("repeated")
				continue
			}
			if !yield(e) {
				return
			}
		}
	}
}

// read gives what a source has.
func read(ctx context.Context, source Source, fail func(error)) iter.Seq[*understudyv1.Exchange] {
	return func(yield func(*understudyv1.Exchange) bool) {
		for {
			e, err := source.Next(ctx)
			if err != nil {
				if !errors.Is(err, io.EOF) {
					fail(err)
				}
				return
			}
			direct(e.GetRequest())
			if !yield(e) {
				return
			}
		}
	}
}

// memoryOf is where names of a copy are. Only one lap is registered at a time, so
// those of earlier ones are forgotten once their last request is done. It belongs
// to the reader.
func (r *Replayer) memoryOf(x timed) *substitute.Memory {
	if x.lap != r.lap {
		r.lap, r.memories = x.lap, map[uint32]*substitute.Memory{}
	}
	m := r.memories[x.clone]
	if m == nil {
		m = substitute.NewMemory(r.host)
		m.Redactor = r.cfg.Redactor
		r.memories[x.clone] = m
	}
	return m
}

// isFirst says that it is of the first lap and the first clone: only those have a
// control, as the baseline has not become more.
func (c copyOf) isFirst() bool { return c.lap <= 1 && c.clone <= 1 }

func copyIn(r *understudyv1.Replay) copyOf { return copyOf{r.GetLap(), r.GetClone()} }

// name is what tells something of this copy from the same of others.
func (c copyOf) name(of string) string { return message.Copy(of, c.lap, c.clone) }

// renewKeys gives a copy idempotency keys of its own in place of recorded ones:
// by those a candidate would take it for the same request once more. One that is a
// UUID becomes another UUID.
func renewKeys(h http.Header, own, id string) {
	if own == id {
		return
	}
	for name, values := range h {
		if !message.IsIdempotencyKey(name) {
			continue
		}
		for i, v := range values {
			sum := sha256.Sum256([]byte(v + "\x00" + strings.TrimPrefix(id, own)))
			if len(v) == 36 && uuid.Validate(v) == nil {
				sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80 // version 4
				values[i] = uuid.UUID(sum[:16]).String()
			} else {
				values[i] = v + strings.TrimPrefix(id, own)
			}
		}
	}
}
