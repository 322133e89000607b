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
	plan plan
	gone bool // retention has deleted the records of the plan
	done chan struct{}
	stop chan struct{}
	once sync.Once

	mu       sync.Mutex
	position int64 // first offset that is not handled; -1 when unknown
	high     int64 // end of the partition as last seen
	queue    []*kgo.Record
	bytes    int64
	paused   bool
	more     chan struct{}
}

func (w *worker) quit() { w.once.Do(func() { close(w.stop) }) }

// add queues records, notes the partition's end, and pauses fetching when the
// queue is long. Pausing and resuming happen under the lock, so that paused
// always agrees with kgo.
func (w *worker) add(rs []*kgo.Record, high int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.high = high
	if w.position < 0 && len(rs) > 0 {
		w.position = rs[0].Offset
	}
	w.queue = append(w.queue, rs...)
	for _, r := range rs {
		w.bytes += int64(len(r.Value))
	}
	select {
	case w.more <- struct{}{}:
	default:
	}
	if !w.paused && !w.lowLocked() {
		w.paused = true
		w.c.client.PauseFetchPartitions(w.itself())
	}
}

func (w *worker) itself() map[string][]int32 {
	return map[string][]int32{w.key.topic: {w.key.number}}
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

func (w *worker) lowLocked() bool {
	return len(w.queue) < 2*w.c.cfg.MaxRecords && w.bytes < 2*w.c.cfg.MaxBytes
}

func (w *worker) resumeIfLow() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.paused && w.lowLocked() {
		w.paused = false
		w.c.client.ResumeFetchPartitions(w.itself())
	}
}

func (w *worker) run(ctx context.Context) {
	defer close(w.done)
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
		if err := w.process(ctx, batch); err != nil {
			if ctx.Err() == nil {
				w.c.cancel(err)
			}
			return
		}
	}
}

// next collects the planned batch, or else a new one.
func (w *worker) next(ctx context.Context) (Batch, bool) {
	var timeout <-chan time.Time
	for {
		w.mu.Lock()
		n, whole := w.cutLocked()
		if whole || n > 0 && timeoutPassed(timeout) {
			b := w.takeLocked(n)
			w.mu.Unlock()
			w.resumeIfLow()
			return b, true
		}
		if n > 0 && timeout == nil && w.plan.end == 0 {
			timeout = time.After(w.c.cfg.MaxWait)
		}
		if w.plan.end > 0 && w.paused {
			w.paused = false
			w.c.client.ResumeFetchPartitions(w.itself())
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
	if w.gone { // no record of the plan is left in the topic
		return 0, true
	}
	var bytes int64
	for i, r := range w.queue {
		if w.plan.end > 0 {
			if r.Offset >= w.plan.end {
				return i, true
			}
			if r.Offset == w.plan.end-1 {
				return i + 1, true
			}
			continue
		}
		if i > 0 && bytes+int64(len(r.Value)) > w.c.cfg.MaxBytes {
			return i, true
		}
		bytes += int64(len(r.Value))
		if i+1 == w.c.cfg.MaxRecords {
			return i + 1, true
		}
	}
	return len(w.queue), false
}

func (w *worker) takeLocked(n int) Batch {
	records := w.queue[:n:n]
	w.queue = append([]*kgo.Record(nil), w.queue[n:]...)
	for _, r := range records {
		w.bytes -= int64(len(r.Value))
	}
	b := Batch{Topic: w.key.topic, TopicID: w.id.String(), Partition: w.key.number, Records: records}
	if w.plan.end > 0 {
		b.First, b.End = w.plan.first, w.plan.end
		w.plan, w.gone = plan{}, false
	} else {
		b.First, b.End = records[0].Offset, records[n-1].Offset+1
	}
	return b
}

// process announces the batch, handles it, and commits its end.
func (w *worker) process(ctx context.Context, b Batch) error {
	if err := w.commitRetrying(ctx, b.First, plan{b.First, b.End}.metadata(w.c.cfg.Fingerprint), leaderEpoch(b)); err != nil {
		return fmt.Errorf("announce %s/%d [%d,%d): %w", b.Topic, b.Partition, b.First, b.End, err)
	}
	if err := w.handle(ctx, b); err != nil {
		return fmt.Errorf("handle %s/%d [%d,%d): %w", b.Topic, b.Partition, b.First, b.End, err)
	}
	if err := w.commitRetrying(ctx, b.End, "", leaderEpoch(b)); err != nil {
		return fmt.Errorf("commit %s/%d at %d: %w", b.Topic, b.Partition, b.End, err)
	}
	w.committed(b.End)
	w.c.metrics.batches.Inc()
	w.c.metrics.records.Add(float64(len(b.Records)))
	return nil
}

func leaderEpoch(b Batch) int32 {
	if len(b.Records) == 0 {
		return -1
	}
	return b.Records[len(b.Records)-1].LeaderEpoch
}

func (w *worker) handle(ctx context.Context, b Batch) error {
	return w.retry(ctx, "handle batch", b.First, func() (bool, error) { return false, w.c.handle(ctx, b) })
}
