package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	// ErrExpired says that retention has taken a record.
	ErrExpired = errors.New("retention has taken the record")
	// ErrRemade says that a topic does not hold what once stood at an offset:
	// it was deleted and made anew, or is another cluster's.
	ErrRemade = errors.New("the topic was made anew")
)

// atTimeout bounds the read of one record.
const atTimeout = 20 * time.Second

// At reads the record at one offset, without a group, within atTimeout. The
// error wraps ErrExpired when the partition begins behind the offset, and
// ErrRemade when it ends before it or has no record there.
func At(ctx context.Context, cfg Config, topic string, partition int32, offset int64) (*kgo.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, atTimeout)
	defer cancel()
	client, err := Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	starts, ends, err := bounds(ctx, kadm.NewClient(client), topic, 0)
	if err != nil {
		return nil, err
	}
	where := fmt.Sprintf("%s/%d offset %d", topic, partition, offset)
	start, there := starts[partition]
	switch end := ends[partition]; {
	case !there:
		return nil, fmt.Errorf("%s: %w: it has no partition %d", where, ErrRemade, partition)
	case offset < start:
		return nil, fmt.Errorf("%s: %w: the partition begins at offset %d now", where, ErrExpired, start)
	case offset >= end:
		return nil, fmt.Errorf("%s: %w: it ends at offset %d", where, ErrRemade, end)
	}
	rd, err := openRange(ctx, cfg, topic, map[int32]int64{partition: offset}, map[int32]int64{partition: offset + 1})
	if err != nil {
		return nil, err
	}
	defer rd.close()
	for !rd.finished() {
		records, err := rd.fetch(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		for _, r := range records {
			if r.Offset == offset {
				return r, nil
			}
		}
	}
	return nil, fmt.Errorf("%s: %w: no record stands there", where, ErrRemade)
}
