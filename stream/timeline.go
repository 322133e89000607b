package stream

import (
	"container/heap"
	"context"
	"errors"
	"io"
	"math"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TimelineConfig says which exchanges a Timeline delivers and how much of the
// topic it may hold in memory.
type TimelineConfig struct {
	Topic string
	// From and To bound the start of the exchange, [From, To); zero is open.
	From, To time.Time
	// Recorders are the instance names to take; none means all.
	Recorders []string
	// Follow never ends: it starts at the end of the topic (or at From) and
	// delivers an exchange Delay after its start, so that exchanges recorded
	// out of order within Delay come in order.
	Follow bool
	Delay  time.Duration
	// WindowRecords and WindowBytes bound what is held to put exchanges in
	// order; defaults 50,000 and 256 MiB. What is read ahead is held in
	// addition: of each partition at most 4,000 exchanges or 16 MiB, and what
	// one more fetch brings.
	WindowRecords int
	WindowBytes   int64
	// Extents are the offsets to read, From and To of each partition; none means
	// all that the topic holds now. Two timelines of the same extents and the same
	// choice deliver the same exchanges in the same order.
	Extents []*understudyv1.Extent
}

// Timeline delivers the exchanges of all partitions in the order of their
// start (then recorder, then sequence). Exchanges are stored when they end, so
// a long one stands behind later ones: a window of exchanges is held back and
// the earliest is delivered first. What is not selected has its place there too,
// without its content, so that the window moves on with the topic and not only
// with what is selected. An exchange that comes too late for its
// place is delivered at once and counted as Late. Not safe for concurrent use.
type Timeline struct {
	cfg     TimelineConfig
	reader  *rangeReader
	foreign func(*kgo.Record, error)
	takes   map[string]bool

	queues   map[int32]*queue
	window   window
	bytes    int64
	last     int64
	stats    TimelineStats
	takenOff uint64       // unselected, as taken from size
	size     atomic.Int64 // see Size
	whole    atomic.Bool
}

// TimelineStats counts what a Timeline did with the records it read.
type TimelineStats struct {
	Read, Delivered, Late uint64
	// Unselected by reason: "before_from", "after_to", "recorder", "foreign".
	Unselected map[string]uint64
}

// OpenTimeline starts reading. foreign is called for each record that is not an
// exchange; it must not keep the record.
func OpenTimeline(ctx context.Context, kafka Config, cfg TimelineConfig, foreign func(*kgo.Record, error)) (*Timeline, error) {
	if cfg.WindowRecords == 0 {
		cfg.WindowRecords = 50_000
	}
	if cfg.WindowBytes == 0 {
		cfg.WindowBytes = 256 << 20
	}
	client, err := Dial(ctx, kafka)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var from int64
	if !cfg.From.IsZero() {
		from = cfg.From.UnixMilli()
	}
	starts, ends, err := bounds(ctx, kadm.NewClient(client), cfg.Topic, from)
	if err == nil && len(cfg.Extents) > 0 {
		starts, ends, err = within(ctx, client, cfg.Topic, cfg.Extents, ends)
	}
	if err != nil {
		return nil, err
	}
	if cfg.Follow {
		if cfg.From.IsZero() {
			starts = ends
		}
		ends = endless(ends)
	}
	reader, err := openRange(ctx, kafka, cfg.Topic, starts, ends)
	if err != nil {
		return nil, err
	}
	t := &Timeline{
		cfg: cfg, reader: reader, foreign: foreign, queues: map[int32]*queue{}, last: math.MinInt64,
		takes: map[string]bool{}, stats: TimelineStats{Unselected: map[string]uint64{}},
	}
	for number := range reader.left {
		t.queues[number] = &queue{}
	}
	for _, r := range cfg.Recorders {
		t.takes[r] = true
	}
	if !cfg.Follow {
		for number, end := range reader.left {
			t.size.Add(end - starts[number])
		}
		t.whole.Store(cfg.From.IsZero() && cfg.To.IsZero() && len(cfg.Recorders) == 0 || reader.finished())
	}
	return t, nil
}

func endless(ends map[int32]int64) map[int32]int64 {
	out := map[int32]int64{}
	for number := range ends {
		out[number] = math.MaxInt64
	}
	return out
}

// Size is how many exchanges are selected in all; most says that this is a
// bound, because what is not read yet may turn out not to be selected. It is 0
// while it is unknown: a timeline that follows has no end. Safe for concurrent
// use.
func (t *Timeline) Size() (n uint64, most bool) {
	return uint64(max(t.size.Load(), 0)), !t.whole.Load()
}

// Close ends reading.
func (t *Timeline) Close() { t.reader.close() }

// Stats returns the counts so far. The map is a copy.
func (t *Timeline) Stats() TimelineStats {
	s := t.stats
	s.Unselected = map[string]uint64{}
	for k, v := range t.stats.Unselected {
		s.Unselected[k] = v
	}
	return s
}

// Next waits for the next exchange; io.EOF after the last one.
func (t *Timeline) Next(ctx context.Context) (*understudyv1.Exchange, error) {
	for {
		wait, ready := t.ready()
		if ready {
			if e := t.deliver(); e != nil {
				return e, nil
			}
			continue
		}
		if !t.cfg.Follow && t.reader.finished() && len(t.window) == 0 && t.drained() {
			return nil, io.EOF
		}
		if err := t.read(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// ready says whether the earliest exchange of the window may be delivered, or
// how long to wait for that.
func (t *Timeline) ready() (time.Duration, bool) {
	if t.cfg.Follow {
		t.moveAll()
		if len(t.window) == 0 {
			return time.Second, false
		}
		due := time.Until(time.Unix(0, t.window[0].StartUnixNano).Add(t.cfg.Delay))
		return due, due <= 0 || t.full()
	}
	t.merge()
	return time.Second, t.full() || len(t.window) > 0 && t.reader.finished() && t.drained()
}

func (t *Timeline) full() bool {
	return len(t.window) >= t.cfg.WindowRecords || t.bytes >= t.cfg.WindowBytes
}

func (t *Timeline) drained() bool {
	for _, q := range t.queues {
		if len(q.items) > 0 {
			return false
		}
	}
	return true
}

// merge moves exchanges from the queues into the window in the order in which
// they ended, as long as every partition that is still read has one queued: so
// no partition runs ahead of the others.
func (t *Timeline) merge() {
	for !t.full() {
		var best *queue
		var number int32
		for n, q := range t.queues {
			if len(q.items) == 0 {
				if _, open := t.reader.left[n]; open {
					return
				}
				continue
			}
			if best == nil || end(q.items[0]) < end(best.items[0]) || end(q.items[0]) == end(best.items[0]) && n < number {
				best, number = q, n
			}
		}
		if best == nil {
			return
		}
		t.move(number, best)
	}
}

func (t *Timeline) moveAll() {
	for n, q := range t.queues {
		for len(q.items) > 0 && !t.full() {
			t.move(n, q)
		}
	}
}

func end(e *understudyv1.Exchange) int64 { return e.StartUnixNano + e.DurationNano }

func (t *Timeline) move(number int32, q *queue) {
	e := q.items[0]
	q.items[0] = nil
	q.items = q.items[1:]
	q.bytes -= size(e)
	if q.paused && q.short() {
		q.paused = false
		t.reader.pause(number, false)
	}
	heap.Push(&t.window, e)
	t.bytes += size(e)
}

// deliver takes the earliest exchange out of the window; nil if it is not
// selected.
func (t *Timeline) deliver() *understudyv1.Exchange {
	e := heap.Pop(&t.window).(*understudyv1.Exchange)
	t.bytes -= size(e)
	if t.unselected(e) != "" {
		return nil
	}
	if e.StartUnixNano < t.last {
		t.stats.Late++
	}
	t.last = max(t.last, e.StartUnixNano)
	t.stats.Delivered++
	return e
}

// read fetches once, within wait, and queues what is selected. Fetching nothing
// is not an error.
func (t *Timeline) read(ctx context.Context, wait time.Duration) error {
	fetchCtx, cancel := context.WithTimeout(ctx, max(wait, time.Millisecond))
	defer cancel()
	if t.reader.client == nil {
		<-fetchCtx.Done()
		return ctx.Err()
	}
	records, err := t.reader.fetch(fetchCtx)
	if err != nil {
		if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		return err
	}
	for _, r := range records {
		t.take(r)
	}
	if !t.cfg.Follow {
		var unselected uint64
		for _, n := range t.stats.Unselected {
			unselected += n
		}
		t.size.Add(-int64(unselected - t.takenOff))
		t.takenOff = unselected
		if t.reader.finished() {
			t.whole.Store(true)
		}
	}
	return nil
}

func (t *Timeline) take(r *kgo.Record) {
	t.stats.Read++
	e, err := DecodeExchange(r)
	if err != nil {
		t.stats.Unselected["foreign"]++
		t.foreign(r, err)
		return
	}
	if reason := t.unselected(e); reason != "" {
		t.stats.Unselected[reason]++
		if t.cfg.Follow {
			return // its own time says when each is delivered
		}
		e = &understudyv1.Exchange{StartUnixNano: e.StartUnixNano, DurationNano: e.DurationNano, Recorder: e.Recorder, Sequence: e.Sequence}
	}
	q := t.queues[r.Partition]
	q.items = append(q.items, e)
	q.bytes += size(e)
	if !q.paused && q.long() {
		q.paused = true
		t.reader.pause(r.Partition, true)
	}
}

// unselected says why an exchange is not delivered, "" if it is.
func (t *Timeline) unselected(e *understudyv1.Exchange) string {
	start := time.Unix(0, e.StartUnixNano)
	switch {
	case !t.cfg.From.IsZero() && start.Before(t.cfg.From):
		return "before_from"
	case !t.cfg.To.IsZero() && !start.Before(t.cfg.To):
		return "after_to"
	case len(t.takes) > 0 && !t.takes[e.Recorder]:
		return "recorder"
	}
	return ""
}
