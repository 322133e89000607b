package stream

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// worker handles one partition while this member owns it.
type worker struct {
	c    *Consumer
	key  partition
	id   kadm.TopicID
	done chan struct{}
	stop chan struct{}
	once sync.Once

	mu       sync.Mutex
	position int64 // first offset that is not handled; -1 when unknown
	high     int64 // end of the partition as last seen
	queue    []*kgo.Record
	more     chan struct{}
}

func (w *worker) quit() { w.once.Do(func() { close(w.stop) }) }

// sizeOf is about what a record takes in memory, in bytes.
func sizeOf(r *kgo.Record) int64 { return 512 + int64(len(r.Value)) }

func sizesOf(rs []*kgo.Record) (sum int64) {
	for _, r := range rs {
		sum += sizeOf(r)
	}
	return sum
}

// add queues records and notes the partition's end.
func (w *worker) add(rs []*kgo.Record, high int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.high = high
	if w.position < 0 && len(rs) > 0 {
		w.position = rs[0].Offset
	}
	w.queue = append(w.queue, rs...)
	w.c.held.Add(sizesOf(rs))
	w.wake()
}

// wake lets next look again.
func (w *worker) wake() {
	select {
	case w.more <- struct{}{}:
	default:
	}
}

func (w *worker) committed(offset int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.position = offset
}

// lag is how many offsets of the partition have not been handled yet.
func (w *worker) lag() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.position < 0 {
		return 0
	}
	return max(0, w.high-w.position)
}

func (w *worker) run(ctx context.Context) {
	defer close(w.done)
	defer w.drop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-w.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		batch, ok := w.next(ctx)
		if !ok {
			return
		}
		err := w.process(ctx, batch)
		w.c.release(sizesOf(batch.Records))
		if err != nil {
			if ctx.Err() == nil {
				w.c.cancel(err)
			}
			return
		}
	}
}

// drop forgets what is queued.
func (w *worker) drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.c.release(sizesOf(w.queue))
	w.queue = nil
}

// next collects a batch.
func (w *worker) next(ctx context.Context) (Batch, bool) {
	var timeout <-chan time.Time
	for {
		w.mu.Lock()
		n, whole := w.cutLocked()
		if whole || n > 0 && (timeoutPassed(timeout) || w.c.full()) {
			b := w.takeLocked(n)
			w.mu.Unlock()
			return b, true
		}
		if n > 0 && timeout == nil {
			timeout = time.After(w.c.cfg.MaxWait)
		}
		w.mu.Unlock()
		select {
		case <-ctx.Done():
			return Batch{}, false
		case <-w.more:
		case <-timeout:
			timeout = closedTimer
		}
	}
}

// closedTimer stands for a timeout that has passed.
var closedTimer = func() <-chan time.Time { c := make(chan time.Time); close(c); return c }()

func timeoutPassed(c <-chan time.Time) bool { return c == closedTimer }

// cutLocked returns how many queued records the next batch takes, and whether
// it is complete.
func (w *worker) cutLocked() (n int, whole bool) {
	var bytes int64
	for i, r := range w.queue {
		if bytes += sizeOf(r); i > 0 && bytes > w.c.cfg.MaxBytes {
			return i, true
		}
		if i+1 == w.c.cfg.MaxRecords {
			return i + 1, true
		}
	}
	return len(w.queue), false
}

func (w *worker) takeLocked(n int) Batch {
	records := w.queue[:n:n]
	w.queue = append([]*kgo.Record(nil), w.queue[n:]...)
	return Batch{
		Topic: w.key.topic, TopicID: w.id.String(), Partition: w.key.number, Records: records,
		First: records[0].Offset, End: records[n-1].Offset + 1,
	}
}

// process handles the batch and commits its end.
func (w *worker) process(ctx context.Context, b Batch) error {
	select {
	case w.c.slots <- struct{}{}:
		defer func() { <-w.c.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := w.handle(ctx, b); err != nil {
		return fmt.Errorf("handle %s/%d [%d,%d): %w", b.Topic, b.Partition, b.First, b.End, err)
	}
	if err := w.commitRetrying(ctx, b.End, b.Records[len(b.Records)-1].LeaderEpoch); err != nil {
		return fmt.Errorf("commit %s/%d at %d: %w", b.Topic, b.Partition, b.End, err)
	}
	w.committed(b.End)
	w.c.metrics.batches.Inc()
	w.c.metrics.records.Add(float64(len(b.Records)))
	return nil
}

func (w *worker) handle(ctx context.Context, b Batch) error {
	return w.retry(ctx, "handle batch", b.First, func() (bool, error) { return false, w.c.handle(ctx, b) })
}
