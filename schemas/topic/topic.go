// Package topic names the Kafka topics that Understudy's processes share, what
// they hold and how they must be configured. It does not talk to Kafka.
//
// Records carry the CloudEvents 1.0 binary content mode of the Kafka protocol
// binding (headers ce_id, ce_type, …), so that a consumer can filter without
// decoding. Partitions are chosen by murmur2(key), the Java client's default.
package topic

import (
	"strconv"
	"time"
)

// DefaultPrefix begins every topic name unless the configuration says
// otherwise.
const DefaultPrefix = "understudy"

// DefaultRetention is how long records are kept unless something else is said.
const DefaultRetention = 7 * 24 * time.Hour

// MaxMessageBytes is the max.message.bytes of topics that carry bodies: a
// replay holds up to eight bodies of the default capture limit (512 KiB)
// besides heads, and a limit is checked before compression.
const MaxMessageBytes = 8 << 20

// Headers of every record: CloudEvents 1.0, Kafka binding, binary mode.
const (
	HeaderSpecVersion = "ce_specversion"
	HeaderID          = "ce_id"
	HeaderSource      = "ce_source"
	HeaderType        = "ce_type"
	HeaderTime        = "ce_time"
	HeaderSubject     = "ce_subject"
	HeaderContentType = "content-type"
	HeaderTraceparent = "traceparent"
	HeaderTracestate  = "tracestate"
)

// HeaderWorker is, on a replay, who of several workers wrote it.
const HeaderWorker = "understudy-worker"

// Values of the headers that do not vary.
const (
	SpecVersion = "1.0"
	ContentType = "application/protobuf"
)

// Values of HeaderType, one for each message.
const (
	TypeExchange   = "understudy.exchange.v1"
	TypeTally      = "understudy.tally.v1"
	TypeReplay     = "understudy.replay.v1"
	TypeRun        = "understudy.run.v1"
	TypeRunClaim   = "understudy.runclaim.v1"
	TypeStage      = "understudy.stage.v1"
	TypeInFlight   = "understudy.inflight.v1"
	TypeInFlights  = "understudy.inflighttally.v1"
	TypeRunShare   = "understudy.runshare.v1"
	TypeRunControl = "understudy.runcontrol.v1"
	TypeDeadLetter = "understudy.deadletter.v1"
)

// Names are the topics under one prefix.
type Names struct {
	// Exchanges holds Exchange, keyed by session.
	Exchanges string
	// Tallies holds Tally, keyed by recorder instance.
	Tallies string
	// Replays holds Replay, keyed by session.
	Replays string
	// Runs holds Run, keyed by run name, and what is said about runs: RunClaim,
	// RunShare and RunControl, each under a key that begins with the name and a
	// slash; compacted.
	Runs string
	// Stages holds Stage, each under a key of its own; compacted.
	Stages string
	// InFlight holds InFlight and InFlightTally, each under a key of its own;
	// compacted.
	InFlight string
	// ExchangesDLQ, TalliesDLQ, ReplaysDLQ and RunsDLQ hold DeadLetter.
	ExchangesDLQ, TalliesDLQ, ReplaysDLQ, RunsDLQ string
}

// NamesFor gives the topic names under prefix; an empty prefix is
// DefaultPrefix.
func NamesFor(prefix string) Names {
	if prefix == "" {
		prefix = DefaultPrefix
	}
	n := Names{
		Exchanges: prefix + ".exchanges.v1",
		Tallies:   prefix + ".tallies.v1",
		Replays:   prefix + ".replays.v1",
		Runs:      prefix + ".runs.v1",
		Stages:    prefix + ".stages.v1",
		InFlight:  prefix + ".inflight.v1",
	}
	n.ExchangesDLQ, n.TalliesDLQ = DLQ(n.Exchanges), DLQ(n.Tallies)
	n.ReplaysDLQ, n.RunsDLQ = DLQ(n.Replays), DLQ(n.Runs)
	return n
}

// DLQ is the dead-letter topic of a topic.
func DLQ(topic string) string { return topic + ".dlq" }

// Spec is how one topic must be created.
type Spec struct {
	Name       string
	Partitions int32
	// Replicas of each partition; 0 is three, or as many as there are brokers.
	Replicas int16
	// MinInSync of them must have a record before it is acknowledged; 0 is one
	// fewer than there are, at least 1.
	MinInSync int16
	// Config holds topic-level settings as Kafka spells them.
	Config map[string]string
}

// Sizing says how large the topics are made. The zero value of a field means
// its default.
type Sizing struct {
	// Partitions of the exchanges and replays topics; default 8. More
	// partitions let more workers share a run; it cannot be changed later
	// without breaking the order within sessions.
	Partitions int32
	// Retention of exchanges, replays, tallies and dead letters; default a week.
	Retention time.Duration
	// Replicas and MinInSync are those of every Spec.
	Replicas, MinInSync int16
}

// Specs lists every topic that must exist under the names, in a fixed order.
func Specs(n Names, s Sizing) []Spec {
	if s.Partitions == 0 {
		s.Partitions = 8
	}
	if s.Retention == 0 {
		s.Retention = DefaultRetention
	}
	retention := strconv.FormatInt(s.Retention.Milliseconds(), 10)
	deleted := map[string]string{
		"cleanup.policy":    "delete",
		"retention.ms":      retention,
		"max.message.bytes": strconv.Itoa(MaxMessageBytes),
	}
	compacted := map[string]string{
		"cleanup.policy":    "compact",
		"max.message.bytes": strconv.Itoa(MaxMessageBytes),
	}
	specs := []Spec{
		{Name: n.Exchanges, Partitions: s.Partitions, Config: deleted},
		{Name: n.Replays, Partitions: s.Partitions, Config: deleted},
		{Name: n.Tallies, Partitions: 1, Config: deleted},
		{Name: n.Runs, Partitions: 1, Config: compacted},
		{Name: n.Stages, Partitions: 1, Config: compacted},
		{Name: n.InFlight, Partitions: 1, Config: compacted},
		{Name: n.ExchangesDLQ, Partitions: 1, Config: deleted},
		{Name: n.ReplaysDLQ, Partitions: 1, Config: deleted},
		{Name: n.TalliesDLQ, Partitions: 1, Config: deleted},
		{Name: n.RunsDLQ, Partitions: 1, Config: deleted},
	}
	for i := range specs {
		specs[i].Replicas, specs[i].MinInSync = s.Replicas, s.MinInSync
	}
	return specs
}
