package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	"understudy.dev/recorder/books"
	"understudy.dev/recorder/ledger"
	"understudy.dev/recorder/spool"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// BooksFile is the name of a life's books in its folder of the spool.
const BooksFile = "books"

// Heir closes the books of recorders that have died, and writes to Kafka what
// they have left on disk.
type Heir struct {
	Kafka     stream.Config
	Names     topic.Names
	Exchanges *stream.Producer // that does not give up by itself
	Tallies   *stream.Producer
	Spool     spool.Config // Dir is empty when there is no spool
	// Self is whose heir this is; lives of the same name are its predecessors.
	Self understudyv1.Life
	Log  *slog.Logger

	said map[string]bool
}

// lookAgain is how often an heir looks for those who have died since; for lives
// of its name that still run ever more seldom, up to mostSeldom.
const (
	lookAgain  = 30 * time.Second
	mostSeldom = 10 * time.Minute
)

// Run does its work until ctx ends.
func (h *Heir) Run(ctx context.Context) {
	h.said = map[string]bool{}
	closed, next, wait := false, time.Time{}, lookAgain
	for ctx.Err() == nil {
		if h.Spool.Dir != "" {
			h.spools(ctx)
		}
		if now := time.Now(); !closed && !now.Before(next) {
			running, err := h.predecessors(ctx)
			if closed = err == nil && !running; running {
				next, wait = now.Add(wait), min(2*wait, mostSeldom)
			}
		}
		pause(ctx, lookAgain)
	}
}

// predecessors closes the books of earlier lives of the same name, which cannot
// say themselves that they have ended. running says that one has spoken so lately
// that it may still run: another instance under the name, or one that is being
// replaced.
func (h *Heir) predecessors(ctx context.Context) (running bool, err error) {
	all, err := stream.Tallies(ctx, h.Kafka, h.Names)
	if err != nil {
		return false, err
	}
	for _, t := range all {
		life := t.Life()
		if t.GetFinal() || t.GetClosed() || life.StartUnixNano == 0 || life.Recorder != h.Self.Recorder || life.StartUnixNano >= h.Self.StartUnixNano {
			continue
		}
		if !ledger.IsSilent(t, time.Now()) {
			running = true
			continue
		}
		t = proto.CloneOf(t)
		t.Number, t.TimeUnixNano, t.Closed = t.GetNumber()+1, time.Now().UnixNano(), true
		if err := h.publish(ctx, t); err != nil {
			return running, err
		}
		h.Log.Warn("an earlier life of this recorder has ended without its last word; its books are closed as they were",
			"recorder", life.Recorder, "started", time.Unix(0, life.StartUnixNano).UTC(), "served", t.GetServed())
	}
	return running, nil
}

func (h *Heir) publish(ctx context.Context, t *understudyv1.Tally) error {
	r, err := stream.TallyRecord(h.Names, t)
	if err != nil {
		return err
	}
	return h.Tallies.ProduceSync(ctx, r)
}

// spools takes over the folders whose recorders have died, one after the other.
func (h *Heir) spools(ctx context.Context) {
	entries, err := os.ReadDir(h.Spool.Dir)
	if err != nil {
		h.sayOnce(h.Spool.Dir, err)
		return
	}
	for _, e := range entries {
		dir := filepath.Join(h.Spool.Dir, e.Name())
		if !e.IsDir() || ctx.Err() != nil {
			continue
		}
		_, unkept := os.Stat(filepath.Join(dir, BooksFile))
		if unkept != nil && !spool.Holds(dir) {
			continue // just being made, or none of ours
		}
		lock, err := spool.Lock(dir)
		if errors.Is(err, spool.ErrLocked) {
			continue
		}
		if err == nil {
			if err = h.inherit(ctx, dir); err != nil && unkept != nil {
				err = fmt.Errorf("there are exchanges but no books that say whose they are and which of them Kafka has: %w", err)
			}
			lock.Close()
		}
		if err != nil && ctx.Err() == nil {
			h.sayOnce(dir, err)
		}
	}
}

func (h *Heir) sayOnce(dir string, err error) {
	if !h.said[dir] {
		h.said[dir] = true
		h.Log.Error("what a recorder has left on disk cannot be taken over", "folder", dir, "error", err)
	}
}

// inherit takes one folder over, which is locked.
func (h *Heir) inherit(ctx context.Context, dir string) error {
	path := filepath.Join(dir, BooksFile)
	head, err := books.HeadOf(path)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var b *books.Books
	log, err := spool.Open(dir, h.Spool, spool.Position{Segment: head.Segment, Offset: head.Offset}, func(n uint64, why error, at spool.Position) {
		mu.Lock()
		defer mu.Unlock()
		Lost(b, n, why, at)
	})
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	found, _ := log.Len()
	if b, err = books.Resume(path, found); err != nil {
		return err
	}
	defer func() { _ = b.Detach() }()
	life := b.Life()
	h.Log.Info("taking over what a recorder has left on disk", "recorder", life.Recorder, "started", b.Started().UTC(), "exchanges", found)
	log.Sync() // applies the bounds
	say := func() error { return h.publish(ctx, b.Statement(time.Now(), false)) }
	if err := say(); err != nil {
		return err
	}
	known, err := h.known(ctx, log, head)
	if err != nil {
		return err
	}
	d := drainer{producer: h.Exchanges, names: h.Names, log: log, books: b, rate: h.Spool.DrainRate, say: h.Log}
	for last := time.Now(); ; {
		n, err := d.batch(ctx, known)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		if time.Since(last) > 10*time.Second {
			last = time.Now()
			if err := say(); err != nil {
				return err
			}
		}
	}
	if err := say(); err != nil {
		return err
	}
	h.Log.Info("Kafka has all that the recorder had left on disk", "recorder", life.Recorder, "started", b.Started().UTC(), "exchanges", found)
	return log.Remove()
}

// known are the ids of those exchanges at the head of a spool that Kafka has
// already: what was in flight when the recorder died, and what it had taken
// back from Kafka.
func (h *Heir) known(ctx context.Context, log *spool.Log, head books.Head) (map[string]bool, error) {
	if head.Handed == 0 && head.Rescued == 0 {
		return nil, nil
	}
	b, err := log.Next(max(batchFrames, int(head.Rescued)), 1<<30)
	if err != nil {
		return nil, err
	}
	wanted, from := map[string]bool{}, head.Handed
	for _, content := range b.Contents {
		e := new(understudyv1.Exchange)
		if proto.Unmarshal(content, e) != nil {
			continue
		}
		wanted[e.GetId()] = true
		if head.Rescued > 0 && (from == 0 || e.GetStartUnixNano() < from) {
			from = e.GetStartUnixNano()
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	s, err := stream.OpenSnapshot(ctx, h.Kafka, h.Names.Exchanges, time.Unix(0, from).Add(-time.Minute))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	known := map[string]bool{}
	err = s.Each(ctx, 2000, 16<<20, 1, func(_ context.Context, b stream.Batch) error {
		for _, r := range b.Records {
			if id := stream.ID(r); wanted[id] {
				known[id] = true
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for what Kafka has already: %w", err)
	}
	return known, nil
}

// Lost settles in the books what the bounds of a spool have dropped.
func Lost(b *books.Books, n uint64, why error, at spool.Position) {
	reason := books.ReasonSpoolFull
	if errors.Is(why, spool.ErrExpired) {
		reason = books.ReasonSpoolExpired
	}
	b.LoseSpooled(n, reason, at.Segment, at.Offset)
}

// NoGivingUp is what a producer of Spooled or Heir needs: a record waits until
// Kafka has it.
func NoGivingUp() kgo.Opt { return kgo.RecordDeliveryTimeout(0) }
