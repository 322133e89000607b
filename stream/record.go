package stream

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// ErrForeign is wrapped by the errors of the Decode functions: the record is of
// another type or cannot be decoded.
var ErrForeign = errors.New("foreign record")

// source is what ce_source says.
const source = "understudy"

// maxDeadValue bounds what a dead letter keeps of a value.
const maxDeadValue = 256 << 10

// ExchangeRecord is the record of an exchange: keyed by session; ce_time is
// the start of the request.
func ExchangeRecord(n topic.Names, e *understudyv1.Exchange) (*kgo.Record, error) {
	r, err := encode(n.Exchanges, e.Session, topic.TypeExchange, e.Id, e.StartUnixNano, e)
	if err != nil {
		return nil, err
	}
	if e.Traceparent != "" {
		r.Headers = append(r.Headers, header(topic.HeaderTraceparent, e.Traceparent))
	}
	if e.Tracestate != "" {
		r.Headers = append(r.Headers, header(topic.HeaderTracestate, e.Tracestate))
	}
	return r, nil
}

// TallyRecord is the record of a tally, keyed by recorder instance.
func TallyRecord(n topic.Names, t *understudyv1.Tally) (*kgo.Record, error) {
	id := t.Recorder + "/" + strconv.FormatInt(t.StartUnixNano, 10) + "/" + strconv.FormatUint(t.Number, 10)
	return encode(n.Tallies, t.Recorder, topic.TypeTally, id, t.TimeUnixNano, t)
}

// ReplayRecord is the record of a replay, keyed by session like its exchange
// (an orphan by its run); ce_time is when it was closed.
func ReplayRecord(n topic.Names, r *understudyv1.Replay) (*kgo.Record, error) {
	key, id := r.Run, r.Run+orphanMark+strconv.FormatInt(r.GetOrphan().GetTimeUnixNano(), 10)
	if e := r.Exchange; e != nil {
		key, id = e.Session, r.Run+"/"+e.Id+"/"+strconv.FormatUint(uint64(r.Attempt), 10)
	}
	return encode(n.Replays, key, topic.TypeReplay, id, r.ClosedUnixNano, r)
}

// orphanMark stands behind the name of the run in the id of an orphan.
const orphanMark = "/orphan/"

// IsOrphan says whether the record of a replay is that of an orphan, without
// decoding it.
func IsOrphan(r *kgo.Record) bool {
	id := ID(r)
	at := strings.IndexByte(id, '/')
	return at >= 0 && strings.HasPrefix(id[at:], orphanMark)
}

// SetWorker says in the record of a replay which worker of the run wrote it.
func SetWorker(r *kgo.Record, worker string) {
	r.Headers = append(r.Headers, header(topic.HeaderWorker, worker))
}

// WorkerOf is what SetWorker said; empty if nothing.
func WorkerOf(r *kgo.Record) string { return headerOf(r, topic.HeaderWorker) }

// RunRecord is the record of a run's state, keyed by its name.
func RunRecord(n topic.Names, r *understudyv1.Run) (*kgo.Record, error) {
	id := r.Name + "/" + strconv.FormatUint(r.Version, 10)
	return encode(n.Runs, r.Name, topic.TypeRun, id, r.TimeUnixNano, r)
}

// DeadLetter wraps a record that a component could not understand, for the
// dead-letter topic of the topic that it came from.
func DeadLetter(component string, r *kgo.Record, reason string) (*kgo.Record, error) {
	now := time.Now().UnixNano()
	letter := &understudyv1.DeadLetter{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Reason: reason, Component: component,
		Key: r.Key, Value: r.Value[:min(len(r.Value), maxDeadValue)], ValueLength: int64(len(r.Value)),
		TimeUnixNano: now,
	}
	id := fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset)
	return encode(topic.DLQ(r.Topic), id, topic.TypeDeadLetter, id, now, letter)
}

func encode(name, key, kind, id string, unixNano int64, m proto.Message) (*kgo.Record, error) {
	value, err := proto.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", kind, id, err)
	}
	at := time.Unix(0, unixNano).UTC()
	// The record's own timestamp stays the time of writing: retention and the
	// delivery timeout count from it, and an imported log may be years old.
	// ce_time says when the thing happened.
	return &kgo.Record{
		Topic: name, Key: []byte(key), Value: value,
		Headers: []kgo.RecordHeader{
			header(topic.HeaderSpecVersion, topic.SpecVersion),
			header(topic.HeaderID, id),
			header(topic.HeaderSource, source),
			header(topic.HeaderType, kind),
			header(topic.HeaderTime, at.Format(time.RFC3339Nano)),
			header(topic.HeaderContentType, topic.ContentType),
		},
	}, nil
}

func header(name, value string) kgo.RecordHeader {
	return kgo.RecordHeader{Key: name, Value: []byte(value)}
}

// DecodeExchange reads an exchange; the error wraps ErrForeign.
func DecodeExchange(r *kgo.Record) (*understudyv1.Exchange, error) {
	return decode(r, topic.TypeExchange, &understudyv1.Exchange{})
}

// DecodeTally reads a tally; the error wraps ErrForeign.
func DecodeTally(r *kgo.Record) (*understudyv1.Tally, error) {
	return decode(r, topic.TypeTally, &understudyv1.Tally{})
}

// DecodeReplay reads a replay; the error wraps ErrForeign.
func DecodeReplay(r *kgo.Record) (*understudyv1.Replay, error) {
	return decode(r, topic.TypeReplay, &understudyv1.Replay{})
}

// DecodeRun reads a run; the error wraps ErrForeign.
func DecodeRun(r *kgo.Record) (*understudyv1.Run, error) {
	return decode(r, topic.TypeRun, &understudyv1.Run{})
}

// kindOf is the type that a record says it has.
func kindOf(r *kgo.Record) string { return headerOf(r, topic.HeaderType) }

func headerOf(r *kgo.Record, name string) string {
	value := ""
	for _, h := range r.Headers {
		if h.Key == name {
			value = string(h.Value)
		}
	}
	return value
}

// ID is the id of the message in a record, without decoding it; empty when it
// does not say.
func ID(r *kgo.Record) string { return headerOf(r, topic.HeaderID) }

// ReplayRun is the run that a replay record is of, without decoding it; empty
// when it does not say.
func ReplayRun(r *kgo.Record) string {
	run, _, _ := strings.Cut(headerOf(r, topic.HeaderID), "/")
	return run
}

func decode[M proto.Message](r *kgo.Record, want string, m M) (M, error) {
	if got := kindOf(r); got != want {
		return m, fmt.Errorf("%s/%d offset %d: %w: %s is %q, want %q",
			r.Topic, r.Partition, r.Offset, ErrForeign, topic.HeaderType, got, want)
	}
	if err := proto.Unmarshal(r.Value, m); err != nil {
		return m, fmt.Errorf("%s/%d offset %d: %w: %w", r.Topic, r.Partition, r.Offset, ErrForeign, err)
	}
	return m, nil
}
