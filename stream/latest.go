package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Latest reads a (compacted) topic from its start to its current end and
// returns the last record of every key. Memory grows with the number of keys,
// not with the number of records.
func Latest(ctx context.Context, cfg Config, topic string) (map[string]*kgo.Record, error) {
	last := map[string]*kgo.Record{}
	err := scan(ctx, cfg, topic, func(r *kgo.Record) error {
		last[string(r.Key)] = r
		return nil
	})
	return last, err
}

// scan calls f for every record of a topic up to its current end. Records of
// one partition come in order.
func scan(ctx context.Context, cfg Config, topic string, f func(*kgo.Record) error) error {
	admin, err := Dial(ctx, cfg)
	if err != nil {
		return err
	}
	defer admin.Close()
	starts, ends, err := bounds(ctx, kadm.NewClient(admin), topic, 0)
	if err != nil {
		return err
	}
	rd, err := openRange(ctx, cfg, topic, starts, ends)
	if err != nil {
		return err
	}
	defer rd.close()
	for !rd.finished() {
		records, err := rd.fetch(ctx)
		if err != nil {
			return err
		}
		for _, r := range records {
			if err := f(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// bounds are the first offset at or after a time (milliseconds since the epoch,
// 0 = the start) and the current end of every partition.
func bounds(ctx context.Context, admin *kadm.Client, topic string, fromMilli int64) (starts, ends map[int32]int64, err error) {
	list := func(ask func(context.Context, ...string) (kadm.ListedOffsets, error)) (map[int32]int64, error) {
		offsets, err := ask(ctx, topic)
		// A topic that was just made, or a broker that just ended, has no leader for a
		// moment.
		for try := 0; try < 25 && errors.Is(cmp.Or(err, offsets.Error()), kerr.LeaderNotAvailable); try++ {
			if err := sleep(ctx, 200*time.Millisecond); err != nil {
				return nil, err
			}
			offsets, err = ask(ctx, topic)
		}
		if err == nil {
			err = offsets.Error()
		}
		if errors.Is(err, kerr.UnknownTopicOrPartition) {
			return nil, fmt.Errorf("%w: topic %s does not exist; run understudy topics apply with the same --kafka and --prefix", ErrTopics, topic)
		}
		if err != nil {
			return nil, fmt.Errorf("offsets of %s: %w", topic, err)
		}
		out := map[int32]int64{}
		offsets.Each(func(o kadm.ListedOffset) { out[o.Partition] = o.Offset })
		if len(out) == 0 {
			return nil, fmt.Errorf("%w: topic %s does not exist; run understudy topics apply with the same --kafka and --prefix", ErrTopics, topic)
		}
		return out, nil
	}
	if ends, err = list(admin.ListEndOffsets); err != nil {
		return nil, nil, err
	}
	if fromMilli > 0 {
		starts, err = list(func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return admin.ListOffsetsAfterMilli(ctx, fromMilli, topics...)
		})
	} else {
		starts, err = list(admin.ListStartOffsets)
	}
	return starts, ends, err
}

// Passed reports whether the committed offsets of a group have reached the
// given end offsets in every partition.
func Passed(ctx context.Context, client *kgo.Client, group, topic string, ends map[int32]int64) (bool, error) {
	committed, err := groupOffsets(ctx, kadm.NewClient(client), group)
	if err != nil {
		return false, err
	}
	for number, end := range ends {
		if end == 0 {
			continue
		}
		o, ok := committed.Lookup(topic, number)
		if ok && o.Err != nil {
			return false, fmt.Errorf("offset of group %s in %s/%d: %w", group, topic, number, o.Err)
		}
		if !ok || o.At < end {
			return false, nil
		}
	}
	return true, nil
}

// groupOffsets returns the committed offsets of a group, none if there is no
// commit yet. It waits for a coordinator that is just starting.
func groupOffsets(ctx context.Context, admin *kadm.Client, group string) (kadm.OffsetResponses, error) {
	for try := 0; ; try++ {
		offsets, err := admin.FetchOffsets(ctx, group)
		switch {
		case err == nil:
			return offsets, nil
		case errors.Is(err, kerr.GroupIDNotFound):
			return nil, nil
		case !kerr.IsRetriable(err) || try == 100:
			return nil, fmt.Errorf("offsets of group %s: %w", group, err)
		}
		if ended := sleep(ctx, 200*time.Millisecond); ended != nil {
			return nil, fmt.Errorf("offsets of group %s: %w", group, errors.Join(ended, err))
		}
	}
}

// Ends returns the current end offsets of a topic's partitions, 0 for a
// partition that holds no records (any more).
func Ends(ctx context.Context, client *kgo.Client, topic string) (map[int32]int64, error) {
	starts, ends, err := bounds(ctx, kadm.NewClient(client), topic, 0)
	if err != nil {
		return nil, err
	}
	for number, end := range ends {
		if starts[number] >= end {
			ends[number] = 0
		}
	}
	return ends, nil
}

// Settle waits until the end of a topic has not moved for quiet, at most for
// limit: a producer that has just been given the last record of a series lets
// it linger. It returns how many records came meanwhile.
func Settle(ctx context.Context, client *kgo.Client, topic string, quiet, limit time.Duration) (came int64, err error) {
	begin := time.Now()
	last, moved := int64(-1), begin
	first := int64(0)
	for {
		ends, err := Ends(ctx, client, topic)
		if err != nil {
			return 0, err
		}
		sum, now := int64(0), time.Now()
		for _, end := range ends {
			sum += end
		}
		switch {
		case last < 0:
			first, last = sum, sum
		case sum != last:
			last, moved = sum, now
		}
		if now.Sub(moved) >= quiet || now.Sub(begin) >= limit {
			return last - first, nil
		}
		if err := sleep(ctx, min(quiet/5, 100*time.Millisecond)); err != nil {
			return 0, err
		}
	}
}

// fetchMaxWait is how long a broker holds a fetch that finds nothing. What is to
// be fetched next waits for it, so Kafka's default of seconds would delay that by
// seconds.
const fetchMaxWait = 100 * time.Millisecond

// rangeReader reads the given offsets of one topic without a group.
type rangeReader struct {
	client *kgo.Client
	topic  string
	left   map[int32]int64 // partition → end offset not yet reached
	size   *sizer
}

func openRange(ctx context.Context, cfg Config, topic string, starts, ends map[int32]int64) (*rangeReader, error) {
	offsets, left := map[int32]kgo.Offset{}, map[int32]int64{}
	for number, end := range ends {
		if start := starts[number]; start >= 0 && start < end {
			offsets[number] = kgo.NewOffset().At(start)
			left[number] = end
		}
	}
	if len(left) == 0 {
		return &rangeReader{topic: topic, left: left}, nil
	}
	size := &sizer{}
	client, err := Dial(ctx, cfg, append(size.options(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets}),
		// Without control records a partition that ends with transaction markers
		// would never reach its end. fetch drops them.
		kgo.KeepControlRecords(),
	)...)
	if err != nil {
		return nil, err
	}
	return &rangeReader{client, topic, left, size}, nil
}

func (r *rangeReader) finished() bool { return len(r.left) == 0 }

// fetch waits for the next records; none of them is at or past its
// partition's end.
func (r *rangeReader) fetch(ctx context.Context) ([]*kgo.Record, error) {
	if r.finished() {
		return nil, nil
	}
	fetches := r.client.PollRecords(ctx, 2000)
	r.size.adjust(r.client)
	// Records may have arrived although ctx has ended. They are not delivered
	// again, so they must be kept.
	if fetches.NumRecords() == 0 && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, e := range fetches.Errors() {
		if ctx.Err() == nil || !errors.Is(e.Err, ctx.Err()) {
			return nil, fmt.Errorf("read %s/%d: %w", r.topic, e.Partition, e.Err)
		}
	}
	var out []*kgo.Record
	fetches.EachRecord(func(rec *kgo.Record) {
		end, ok := r.left[rec.Partition]
		if !ok {
			return
		}
		if rec.Offset < end && !rec.Attrs.IsControl() {
			out = append(out, rec)
		}
		if rec.Offset >= end-1 {
			delete(r.left, rec.Partition)
			r.client.PauseFetchPartitions(map[string][]int32{r.topic: {rec.Partition}})
		}
	})
	slices.SortStableFunc(out, func(a, b *kgo.Record) int { return int(a.Partition) - int(b.Partition) })
	return out, nil
}

// pause pauses or resumes fetching a partition.
func (r *rangeReader) pause(number int32, yes bool) {
	if r.client == nil {
		return
	}
	m := map[string][]int32{r.topic: {number}}
	if yes {
		r.client.PauseFetchPartitions(m)
	} else if _, open := r.left[number]; open {
		r.client.ResumeFetchPartitions(m)
	}
}

func (r *rangeReader) close() {
	if r.client != nil {
		r.client.Close()
	}
}
