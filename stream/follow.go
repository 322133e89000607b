package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	followCheck = time.Second            // between two looks at where the topic ends
	followPoll  = 200 * time.Millisecond // between two looks at what that has said
)

// topicEnd is where the topic ended at a moment.
type topicEnd struct {
	at     time.Time
	offset int64
}

// follower is told what a topic of one partition holds. One goroutine calls all
// of it.
type follower struct {
	// record is called for every record, from the first on; its error is a problem.
	record  func(*kgo.Record) error
	current func(at time.Time)
	problem func(error)
}

// follow reads a topic until ctx ends; it connects when Kafka is there, and again
// when it is back. The error says that the configuration cannot be used.
func follow(ctx context.Context, cfg Config, name string, f follower) error {
	client, err := open(cfg,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{name: {0: kgo.NewOffset().AtStart()}}),
		kgo.KeepControlRecords(), // else a topic that ends with one has no end
		kgo.MetadataMinAge(followCheck),
	)
	if err != nil {
		return err
	}
	defer closeSoon(client)
	var end atomic.Pointer[topicEnd]
	var look sync.WaitGroup
	defer look.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	problems := make(chan error, 1)
	look.Go(func() { watchEnd(ctx, client, name, &end, problems) })
	next := int64(0)
	for ctx.Err() == nil {
		next = pollTopic(ctx, client, f, next)
		select {
		case err := <-problems:
			f.problem(err)
		default:
		}
		if e := end.Load(); e != nil && next >= e.offset && end.CompareAndSwap(e, nil) {
			f.current(e.at)
		}
	}
	return nil
}

// pollTopic passes on what there is and returns the offset after it.
func pollTopic(ctx context.Context, client *kgo.Client, f follower, next int64) int64 {
	wait, cancel := context.WithTimeout(ctx, followPoll)
	defer cancel()
	fetches := client.PollFetches(wait)
	for _, e := range fetches.Errors() {
		if wait.Err() == nil || !errors.Is(e.Err, wait.Err()) {
			f.problem(fmt.Errorf("read %s: %w", e.Topic, e.Err))
			_ = sleep(ctx, followPoll)
			break
		}
	}
	fetches.EachRecord(func(r *kgo.Record) {
		next = r.Offset + 1
		if r.Attrs.IsControl() {
			return
		}
		if err := f.record(r); err != nil {
			f.problem(fmt.Errorf("%s, offset %d: %w", r.Topic, r.Offset, err))
		}
	})
	return next
}

// watchEnd asks for the end of the topic until ctx ends.
func watchEnd(ctx context.Context, client *kgo.Client, name string, end *atomic.Pointer[topicEnd], problems chan<- error) {
	admin := kadm.NewClient(client)
	for {
		at := time.Now()
		over, cancel := context.WithTimeout(ctx, DialTimeout)
		_, ends, err := bounds(over, admin, name, 0)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			select {
			case problems <- err:
			default:
			}
		default:
			end.Store(&topicEnd{at, ends[0]})
		}
		if sleep(ctx, followCheck) != nil {
			return
		}
	}
}
