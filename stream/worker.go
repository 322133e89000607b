package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// worker handles one partition while we own it.
type worker struct {
	c    *Consumer
	key  partition
	plan plan
	done chan struct{}
	stop chan struct{}
	once sync.Once

	mu     sync.Mutex
	queue  []*kgo.Record
	bytes  int64
	paused bool
	more   chan struct{}
}

func newWorker(c *Consumer, key partition, p plan) *worker {
	return &worker{c: c, key: key, plan: p, done: make(chan struct{}), stop: make(chan struct{}), more: make(chan struct{}, 1)}
}

func (w *worker) quit() { w.once.Do(func() { close(w.stop) }) }

// add queues records and says whether the queue is so long that fetching
// should pause.
func (w *worker) add(rs []*kgo.Record) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
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
		return true
	}
	return false
}

func (w *worker) lowLocked() bool {
	return len(w.queue) < 2*w.c.cfg.MaxRecords && w.bytes < 2*w.c.cfg.MaxBytes
}

func (w *worker) resumeIfLow() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.paused && w.lowLocked() {
		w.paused = false
		w.c.kafka.ResumeFetchPartitions(map[string][]int32{w.key.topic: {w.key.number}})
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
			w.c.kafka.ResumeFetchPartitions(map[string][]int32{w.key.topic: {w.key.number}})
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

// cutLocked is how many queued records the next batch takes, and whether it
// cannot grow any more.
func (w *worker) cutLocked() (n int, whole bool) {
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
	b := Batch{Topic: w.key.topic, Partition: w.key.number, Records: records}
	if w.plan.end > 0 {
		b.First, b.End = w.plan.first, w.plan.end
		w.plan = plan{}
	} else {
		b.First, b.End = records[0].Offset, records[n-1].Offset+1
	}
	id := w.c.ids[w.key.topic]
	b.Token = fmt.Sprintf("%s-%x-%d-%d-%d", b.Topic, id[:], b.Partition, b.First, b.End)
	return b
}

// process announces the batch, handles it, and commits its end.
func (w *worker) process(ctx context.Context, b Batch) error {
	if err := w.commit(ctx, b.First, plan{b.First, b.End}.metadata(w.c.cfg.Fingerprint), leaderEpoch(b)); err != nil {
		return fmt.Errorf("announce %s/%d [%d,%d): %w", b.Topic, b.Partition, b.First, b.End, err)
	}
	if err := w.handle(ctx, b); err != nil {
		return fmt.Errorf("handle %s/%d [%d,%d): %w", b.Topic, b.Partition, b.First, b.End, err)
	}
	if err := w.commit(ctx, b.End, "", leaderEpoch(b)); err != nil {
		return fmt.Errorf("commit %s/%d at %d: %w", b.Topic, b.Partition, b.End, err)
	}
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
	pause := 100 * time.Millisecond
	for try := 0; ; try++ {
		err := w.c.handle(ctx, b)
		if err == nil || ctx.Err() != nil {
			return err
		}
		w.c.metrics.errors.Inc()
		if try >= w.c.cfg.Retries {
			return err
		}
		w.c.log.Warn("batch failed, trying again", "topic", b.Topic, "partition", b.Partition,
			"first", b.First, "end", b.End, "in", pause, "error", err)
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// commit writes offset and metadata as this member of the group; a member that
// lost the partition is refused by the broker.
func (w *worker) commit(ctx context.Context, offset int64, metadata string, epoch int32) error {
	ctx = kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for i := range req.Topics {
			for j := range req.Topics[i].Partitions {
				req.Topics[i].Partitions[j].Metadata = &metadata
			}
		}
		return nil
	})
	var result error
	w.c.kafka.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{
		w.key.topic: {w.key.number: {Epoch: epoch, Offset: offset}},
	}, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		result = err
		if err != nil {
			return
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if p.ErrorCode != 0 {
					result = errorForCode(p.ErrorCode)
				}
			}
		}
	})
	if result == nil {
		w.c.metrics.commits.Inc()
	}
	return result
}
