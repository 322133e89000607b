package stream

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Marks between the name of a run and the rest of the keys of what is said about
// it. No name has a slash.
const (
	shareMark   = "/share/"
	controlMark = "/control"
)

// IsAside says whether a record of the runs topic is about a run (the claim of a
// start, the share of a worker, a wish) and not its state.
func IsAside(r *kgo.Record) bool {
	switch kindOf(r) {
	case topic.TypeRunClaim, topic.TypeRunShare, topic.TypeRunControl:
		return true
	}
	return false
}

// ShareRecord is the record of a worker's share, keyed by run and worker.
func ShareRecord(n topic.Names, s *understudyv1.RunShare) (*kgo.Record, error) {
	id := s.Run + shareMark + s.Worker
	return encode(n.Runs, id, topic.TypeRunShare, id, s.TimeUnixNano, s)
}

// Wish writes what a person wants of a run.
func Wish(ctx context.Context, names topic.Names, p *Producer, run string, wish understudyv1.RunControl_Wish) error {
	c := &understudyv1.RunControl{Run: run, Wish: wish, TimeUnixNano: time.Now().UnixNano()}
	id := run + controlMark
	r, err := encode(names.Runs, id, topic.TypeRunControl, id, c.TimeUnixNano, c)
	if err != nil {
		return err
	}
	return p.ProduceSync(ctx, r)
}

// Board is what the runs topic says of one run. It is safe for concurrent use.
type Board struct {
	name string
	tail *Tail

	mu      sync.Mutex
	run     *understudyv1.Run
	wish    *understudyv1.RunControl
	shares  map[string]*understudyv1.RunShare
	changed chan struct{}
}

// OpenBoard reads the runs topic from its begin; Watch goes on with it.
func OpenBoard(ctx context.Context, cfg Config, names topic.Names, run string) (*Board, error) {
	tail, err := OpenTail(ctx, cfg, names.Runs, map[int32]int64{0: 0})
	if err != nil {
		return nil, err
	}
	return &Board{name: run, tail: tail, shares: map[string]*understudyv1.RunShare{}, changed: make(chan struct{})}, nil
}

// Watch reads on until ctx ends.
func (b *Board) Watch(ctx context.Context) error { return b.tail.Run(ctx, b.take) }

// CaughtUp waits until what the topic holds now is known; Watch must be running.
func (b *Board) CaughtUp(ctx context.Context) error { return b.tail.CaughtUp(ctx) }

// Close ends it; Watch must have returned.
func (b *Board) Close() { b.tail.Close() }

func (b *Board) take(r *kgo.Record) {
	key := string(r.Key)
	if key != b.name && !strings.HasPrefix(key, b.name+"/") {
		return
	}
	run, errRun := DecodeRun(r)
	share, errShare := decode(r, topic.TypeRunShare, &understudyv1.RunShare{})
	wish, errWish := decode(r, topic.TypeRunControl, &understudyv1.RunControl{})
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case errRun == nil && (b.run == nil || run.GetVersion() >= b.run.GetVersion()):
		b.run = run
	case errShare == nil:
		b.shares[share.GetWorker()] = share
	case errWish == nil:
		b.wish = wish
	default:
		return
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// Look returns the last record of the run, the last wish and the last share of
// every worker; nil is none. They must not be changed. changed is closed when
// there is something new.
func (b *Board) Look() (run *understudyv1.Run, wish *understudyv1.RunControl, shares []*understudyv1.RunShare, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.shares {
		shares = append(shares, s)
	}
	return b.run, b.wish, shares, b.changed
}
