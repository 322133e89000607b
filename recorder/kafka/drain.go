package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	"understudy.dev/recorder"
	"understudy.dev/recorder/books"
	"understudy.dev/recorder/spool"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// drainer writes what is in a spool to Kafka.
type drainer struct {
	producer *stream.Producer
	names    topic.Names
	log      *spool.Log
	books    *books.Books
	rate     int64 // bytes a second
	say      *slog.Logger
}

// A batch is written and acknowledged before the next: so the order holds, and
// no more than one batch has to be looked for in Kafka after a crash.
const (
	batchFrames = 500
	batchBytes  = 4 << 20
)

// batch writes the next exchanges, but those whose ids are known to be in Kafka
// already, and settles them. It tries again until ctx ends. It returns how many
// it has settled, 0 when nothing is left.
func (d *drainer) batch(ctx context.Context, known map[string]bool) (n int, err error) {
	began := time.Now()
	b, err := d.log.Next(batchFrames, batchBytes)
	if err != nil || len(b.Contents) == 0 && b.Lost == 0 {
		return 0, err
	}
	lost := map[string]uint64{}
	if b.Lost > 0 {
		lost[books.ReasonSpoolError] = b.Lost
	}
	inKafka, there, bytes := uint64(0), uint64(0), int64(0)
	var records []*kgo.Record
	for _, content := range b.Contents {
		bytes += int64(len(content))
		r, id, why := d.record(content)
		switch {
		case why != "":
			lost[why]++
		case known[id]:
			there++
		default:
			records = append(records, r)
		}
	}
	d.books.HandSpooled(began.UnixNano())
	for wait := 100 * time.Millisecond; len(records) > 0; wait = min(2*wait, 10*time.Second) {
		taken, tooLarge, left, err := d.produce(ctx, records)
		inKafka += taken
		if tooLarge > 0 {
			lost[books.ReasonTooLarge] += tooLarge
		}
		if len(left) > 0 {
			if ctx.Err() != nil || errors.Is(err, stream.ErrGivenUp) {
				return 0, errors.Join(ctx.Err(), err)
			}
			d.say.Warn("Kafka refuses what was on disk, trying again", "in", wait, "error", err)
			pause(ctx, wait)
		}
		records = left
	}
	d.books.Unspool(inKafka, there, lost, b.End.Segment, b.End.Offset)
	d.log.Advance(b)
	pause(ctx, time.Duration(float64(bytes)/float64(d.rate)*float64(time.Second))-time.Since(began))
	return len(b.Contents) + int(b.Lost), nil
}

// record is what stands in a frame, or why it cannot be written.
func (d *drainer) record(content []byte) (r *kgo.Record, id, why string) {
	defer func() {
		if p := recover(); p != nil {
			d.say.Error("an exchange on disk could not be written: panic", "panic", fmt.Sprintf("%T", p))
			why = books.ReasonInternal
		}
	}()
	e := new(understudyv1.Exchange)
	if err := proto.Unmarshal(content, e); err != nil {
		return nil, "", books.ReasonSpoolError
	}
	r, err := stream.ExchangeRecord(d.names, e)
	if err != nil {
		return nil, "", books.ReasonInternal
	}
	return r, e.GetId(), ""
}

// produce writes records and waits for all answers. left are those that Kafka
// may take another time.
func (d *drainer) produce(ctx context.Context, records []*kgo.Record) (taken, tooLarge uint64, left []*kgo.Record, err error) {
	var wg sync.WaitGroup
	errs := make([]error, len(records))
	for i, r := range records {
		wg.Add(1)
		d.producer.Produce(ctx, r, func(_ *kgo.Record, err error) { defer wg.Done(); errs[i] = reason(err) })
	}
	wg.Wait()
	for i, e := range errs {
		switch {
		case e == nil:
			taken++
		case errors.Is(e, recorder.ErrTooLarge):
			tooLarge++
		default:
			left = append(left, again(records[i]))
			err = e
		}
	}
	return taken, tooLarge, left, err
}

// again is a record that can be produced once more.
func again(r *kgo.Record) *kgo.Record {
	return &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Headers: r.Headers}
}
