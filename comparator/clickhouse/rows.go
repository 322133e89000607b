package clickhouse

import (
	"strings"
	"time"
	"unicode/utf8"

	"understudy.dev/comparator"
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/seal"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Position is where a record stood in Kafka.
type Position struct {
	// TopicID is Kafka's id of the topic.
	TopicID   string
	Partition int32
	Offset    int64
	// Time is the record's own timestamp.
	Time time.Time
}

// comparisonRow is a row of the table comparisons.
type comparisonRow struct {
	Run                 string    `ch:"run"`
	ExchangeID          string    `ch:"exchange_id"`
	Ordinal             uint64    `ch:"ordinal"`
	Attempt             uint32    `ch:"attempt"`
	Session             string    `ch:"session"`
	Route               string    `ch:"route"`
	Method              string    `ch:"method"`
	Verdict             string    `ch:"verdict"`
	Findings            []string  `ch:"findings"`
	Skipped             string    `ch:"skipped"`
	Error               string    `ch:"error"`
	BaselineStatus      uint16    `ch:"baseline_status"`
	AckStatus           uint16    `ch:"ack_status"`
	CandidateStatus     uint16    `ch:"candidate_status"`
	Channel             string    `ch:"channel"`
	CompletionReason    string    `ch:"completion_reason"`
	Completions         uint32    `ch:"completions"`
	Polls               uint32    `ch:"polls"`
	ExchangeTime        time.Time `ch:"exchange_time"`
	ScheduledTime       time.Time `ch:"scheduled_time"`
	SentTime            time.Time `ch:"sent_time"`
	ClosedTime          time.Time `ch:"closed_time"`
	LagNS               int64     `ch:"lag_ns"`
	BaselineFirstByteNS uint64    `ch:"baseline_first_byte_ns"`
	BaselineLatencyNS   uint64    `ch:"baseline_latency_ns"`
	AckLatencyNS        uint64    `ch:"ack_latency_ns"`
	AckServiceNS        uint64    `ch:"ack_service_ns"`
	CompletionLatencyNS uint64    `ch:"completion_latency_ns"`
	CompletionServiceNS uint64    `ch:"completion_service_ns"`
	Differences         uint32    `ch:"differences"`
	Noise               uint32    `ch:"noise"`
	DifferencesDropped  uint32    `ch:"differences_dropped"`
	BaselineBytes       uint64    `ch:"baseline_bytes"`
	CandidateBytes      uint64    `ch:"candidate_bytes"`
	Recorder            string    `ch:"recorder"`
	Sequence            uint64    `ch:"sequence"`
	KafkaPartition      int32     `ch:"kafka_partition"`
	KafkaOffset         int64     `ch:"kafka_offset"`
	Presumed            uint32    `ch:"presumed"`
	RejectedBy          string    `ch:"rejected_by"`
	Incomplete          string    `ch:"incomplete"`
	TopicID             string    `ch:"topic_id"`
	Judgement           string    `ch:"judgement"`
	Migration           string    `ch:"migration"`
	Stage               string    `ch:"stage"`
	Step                uint64    `ch:"step"`
	Decision            string    `ch:"decision"`
	ServedBy            string    `ch:"served_by"`
}

// toComparison maps a judged replay.
func toComparison(r *understudyv1.Replay, c comparator.Comparison, at Position, judgement string) *comparisonRow {
	e, o := r.GetExchange(), r.GetCandidate()
	route, method := e.GetRoute(), e.GetRequest().GetMethod()
	if orphan := r.GetOrphan(); orphan != nil && e == nil {
		route, method = "(orphan)", orphan.GetReceived().GetMethod()
	}
	row := &comparisonRow{
		Run: r.GetRun(), ExchangeID: e.GetId(), Ordinal: r.GetOrdinal(), Attempt: r.GetAttempt(),
		Session: e.GetSession(), Route: route, Method: method,
		Verdict: string(c.Verdict), Findings: texts(c.Findings), Skipped: r.GetSkipped(),
		Error:          understudyv1.Label(o.GetError().GetKind()),
		BaselineStatus: uint16(e.GetResponse().GetStatus()), AckStatus: uint16(o.GetAck().GetStatus()),
		CandidateStatus: uint16(c.CandidateStatus),
		ExchangeTime:    at64(e.GetStartUnixNano()), ScheduledTime: at64(r.GetScheduledUnixNano()),
		SentTime: at64(r.GetSentUnixNano()), ClosedTime: at64(r.GetClosedUnixNano()),
		LagNS:               r.GetSentUnixNano() - r.GetScheduledUnixNano(),
		BaselineFirstByteNS: nanos(e.GetFirstByteNano()), BaselineLatencyNS: nanos(e.GetDurationNano()),
		AckLatencyNS: nanos(o.GetAckLatencyNano()), AckServiceNS: nanos(o.GetAckServiceNano()),
		Differences: uint32(c.Totals.Counting), Presumed: uint32(c.Totals.Presumed), Noise: uint32(c.Totals.Harmless),
		DifferencesDropped: uint32(c.Dropped), RejectedBy: c.RejectedBy, Incomplete: c.Incomplete,
		BaselineBytes: nanos(e.GetResponse().GetBody().GetLength()), CandidateBytes: nanos(o.GetAck().GetBody().GetLength()),
		Recorder: e.GetRecorder(), Sequence: e.GetSequence(),
		KafkaPartition: at.Partition, KafkaOffset: at.Offset, TopicID: at.TopicID, Judgement: judgement,
		Migration: e.GetMigration(), Stage: e.GetStage(), Step: e.GetStep(), Decision: e.GetDecision(), ServedBy: understudyv1.Label(e.GetServedBy()),
	}
	addCompletion(row, o)
	return row
}

func addCompletion(row *comparisonRow, o *understudyv1.Observation) {
	done := o.GetCompletion()
	if done == nil {
		return
	}
	row.Channel = understudyv1.Label(done.GetChannel())
	row.CompletionReason = done.GetReason()
	row.Completions, row.Polls = done.GetSeen(), done.GetPolls()
	row.CompletionLatencyNS, row.CompletionServiceNS = nanos(done.GetLatencyNano()), nanos(done.GetServiceNano())
	if done.GetChannel() == understudyv1.Channel_CHANNEL_IMMEDIATE {
		row.CompletionLatencyNS, row.CompletionServiceNS = row.AckLatencyNS, row.AckServiceNS
	} else if p := done.GetPayload(); p != nil {
		row.CandidateBytes = nanos(p.GetBody().GetLength())
	}
}

// differenceRow is a row of the table differences.
type differenceRow struct {
	Run            string    `ch:"run"`
	ExchangeID     string    `ch:"exchange_id"`
	Route          string    `ch:"route"`
	Place          string    `ch:"place"`
	Path           string    `ch:"path"`
	Location       string    `ch:"location"`
	Kind           string    `ch:"kind"`
	Baseline       string    `ch:"baseline"`
	Candidate      string    `ch:"candidate"`
	NoiseClass     string    `ch:"noise_class"`
	Verdict        string    `ch:"verdict"`
	ClosedTime     time.Time `ch:"closed_time"`
	KafkaPartition int32     `ch:"kafka_partition"`
	KafkaOffset    int64     `ch:"kafka_offset"`
	TopicID        string    `ch:"topic_id"`
	Judgement      string    `ch:"judgement"`
	// Number tells the places of one replay apart.
	Number uint32 `ch:"number"`
}

func (r *differenceRow) size() int {
	return rowSize + len(r.ExchangeID) + len(r.Route) + len(r.Path) + len(r.Location) + len(r.Baseline) + len(r.Candidate)
}

// toDifferences maps the differing places of a judged replay.
func toDifferences(r *understudyv1.Replay, c comparator.Comparison, at Position, judgement string) []*differenceRow {
	var rows []*differenceRow
	for i, d := range c.Differences {
		rows = append(rows, &differenceRow{
			Run: r.GetRun(), ExchangeID: r.GetExchange().GetId(), Route: r.GetExchange().GetRoute(),
			Place: string(d.Place), Path: d.Path, Location: d.Location, Kind: string(d.Kind),
			Baseline: d.Baseline, Candidate: d.Candidate, NoiseClass: d.Noise, Verdict: string(c.Verdict),
			ClosedTime: at64(r.GetClosedUnixNano()), KafkaPartition: at.Partition, KafkaOffset: at.Offset,
			TopicID: at.TopicID, Judgement: judgement, Number: uint32(i),
		})
	}
	return rows
}

// exchangeRow is a row of the table exchanges.
type exchangeRow struct {
	ID             string            `ch:"id"`
	Recorder       string            `ch:"recorder"`
	Sequence       uint64            `ch:"sequence"`
	Session        string            `ch:"session"`
	Route          string            `ch:"route"`
	Method         string            `ch:"method"`
	Target         string            `ch:"target"`
	Status         uint16            `ch:"status"`
	Error          string            `ch:"error"`
	StartTime      time.Time         `ch:"start_time"`
	FirstByteNS    uint64            `ch:"first_byte_ns"`
	LatencyNS      uint64            `ch:"latency_ns"`
	RequestBytes   uint64            `ch:"request_bytes"`
	ResponseBytes  uint64            `ch:"response_bytes"`
	Truncated      bool              `ch:"truncated"`
	Redactions     uint32            `ch:"redactions"`
	ServedBy       string            `ch:"served_by"`
	Source         string            `ch:"source"`
	Traceparent    string            `ch:"traceparent"`
	StoredTime     time.Time         `ch:"stored_time"`
	KafkaPartition int32             `ch:"kafka_partition"`
	KafkaOffset    int64             `ch:"kafka_offset"`
	TopicID        string            `ch:"topic_id"`
	Headers        map[string]string `ch:"headers"`
	RecorderStart  time.Time         `ch:"recorder_start"`
	Migration      string            `ch:"migration"`
	Stage          string            `ch:"stage"`
	Step           uint64            `ch:"step"`
	Decision       string            `ch:"decision"`
	Attempts       uint32            `ch:"attempts"`
}

// toExchange maps an exchange's metadata; no body is kept.
func toExchange(e *understudyv1.Exchange, at Position) *exchangeRow {
	redactions := uint32(0)
	for _, r := range e.GetRedactions() {
		redactions += r.GetCount()
	}
	request, response := e.GetRequest().GetBody(), e.GetResponse().GetBody()
	return &exchangeRow{
		ID: e.GetId(), Recorder: e.GetRecorder(), Sequence: e.GetSequence(), Session: e.GetSession(),
		Route: e.GetRoute(), Method: e.GetRequest().GetMethod(), Target: string(e.GetRequest().GetTarget()),
		Status: uint16(e.GetResponse().GetStatus()), Error: understudyv1.Label(e.GetError().GetKind()),
		StartTime: at64(e.GetStartUnixNano()), FirstByteNS: nanos(e.GetFirstByteNano()), LatencyNS: nanos(e.GetDurationNano()),
		RequestBytes: nanos(request.GetLength()), ResponseBytes: nanos(response.GetLength()),
		Truncated: request.GetTruncated() || response.GetTruncated(), Redactions: redactions,
		ServedBy: understudyv1.Label(e.GetServedBy()), Source: e.GetSource(), Traceparent: e.GetTraceparent(),
		StoredTime: at.Time.UTC(), KafkaPartition: at.Partition, KafkaOffset: at.Offset, TopicID: at.TopicID,
		Headers: indexed(e), RecorderStart: at64(e.GetRecorderStartUnixNano()),
		Migration: e.GetMigration(), Stage: e.GetStage(), Step: e.GetStep(), Decision: e.GetDecision(), Attempts: e.GetAttempts(),
	}
}

// maxIndexedValue bounds the value of a header in the tables, in bytes.
const maxIndexedValue = 256

// indexed are the request headers that the recorder wants in the tables, by
// name in lower case, values of one name joined. They stand as they were
// recorded, secrets as tokens. It depends on nothing but the record.
func indexed(e *understudyv1.Exchange) map[string]string {
	out := map[string]string{}
	for i, name := range e.GetIndexedHeaders() {
		if i == seal.MaxIndexed {
			break
		}
		if values := message.Values(e.GetRequest().GetHeaders(), name); len(values) > 0 {
			out[strings.ToLower(name)] = cut(strings.Join(values, ", "), maxIndexedValue)
		}
	}
	return out
}

// cut makes a text valid and at most so long, in bytes; what was cut ends in …
func cut(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	end := most - len("…")
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// tallyRow is a row of the table tallies.
type tallyRow struct {
	Recorder   string            `ch:"recorder"`
	StartTime  time.Time         `ch:"start_time"`
	Number     uint64            `ch:"number"`
	Time       time.Time         `ch:"time"`
	Served     uint64            `ch:"served"`
	Recorded   uint64            `ch:"recorded"`
	Pending    uint64            `ch:"pending"`
	Spooled    uint64            `ch:"spooled"`
	Dropped    map[string]uint64 `ch:"dropped"`
	Final      bool              `ch:"final"`
	Closed     bool              `ch:"closed"`
	Exact      bool              `ch:"exact"`
	IntervalNS uint64            `ch:"interval_ns"`
}

func toTally(t *understudyv1.Tally) *tallyRow {
	return &tallyRow{
		Recorder: t.GetRecorder(), Number: t.GetNumber(), StartTime: at64(t.Life().StartUnixNano), Time: at64(t.GetTimeUnixNano()),
		Served: t.GetServed(), Recorded: t.GetRecorded(), Pending: t.GetPending(), Spooled: t.GetSpooled(), Dropped: counts(t.GetDropped()),
		Final: t.GetFinal(), Closed: t.GetClosed(), Exact: t.GetExact(), IntervalNS: nanos(t.GetIntervalNano()),
	}
}

// runRow is a row of the table runs.
type runRow struct {
	Name             string            `ch:"name"`
	Version          uint64            `ch:"version"`
	State            string            `ch:"state"`
	Detail           string            `ch:"detail"`
	Candidate        string            `ch:"candidate"`
	Speed            float64           `ch:"speed"`
	Follow           bool              `ch:"follow"`
	Completion       string            `ch:"completion"`
	StartTime        time.Time         `ch:"start_time"`
	EndTime          time.Time         `ch:"end_time"`
	Selected         uint64            `ch:"selected"`
	Replayed         uint64            `ch:"replayed"`
	Skipped          map[string]uint64 `ch:"skipped"`
	Unselected       map[string]uint64 `ch:"unselected"`
	Written          uint64            `ch:"written"`
	Orphans          uint64            `ch:"orphans"`
	PlannedRate      float64           `ch:"planned_rate"`
	AchievedRate     float64           `ch:"achieved_rate"`
	LagP50NS         int64             `ch:"lag_p50_ns"`
	LagP99NS         int64             `ch:"lag_p99_ns"`
	LagMaxNS         int64             `ch:"lag_max_ns"`
	Completed        map[string]uint64 `ch:"completed"`
	LocationsRefused uint64            `ch:"locations_refused"`
	Origin           string            `ch:"origin"`
	Controlled       uint64            `ch:"controlled"`
	Uncontrolled     map[string]uint64 `ch:"uncontrolled"`
	Load             string            `ch:"load"`
}

func toRun(r *understudyv1.Run, origin string) *runRow {
	return &runRow{
		Name: r.GetName(), Version: r.GetVersion(), State: understudyv1.Label(r.GetState()), Detail: r.GetDetail(),
		Candidate: r.GetSpec().GetCandidate(), Speed: r.GetSpec().GetSpeed(), Follow: r.GetSpec().GetFollow(),
		Completion: r.GetSpec().GetCompletion(), StartTime: at64(r.GetStartUnixNano()), EndTime: at64(r.GetEndUnixNano()),
		Selected: r.GetSelected(), Replayed: r.GetReplayed(), Skipped: counts(r.GetSkipped()), Unselected: counts(r.GetUnselected()),
		Written: r.GetWritten(), Orphans: r.GetOrphans(), PlannedRate: r.GetPlannedRate(), AchievedRate: r.GetAchievedRate(),
		LagP50NS: r.GetLagP50Nano(), LagP99NS: r.GetLagP99Nano(), LagMaxNS: r.GetLagMaxNano(),
		Completed: counts(r.GetCompleted()), LocationsRefused: r.GetLocationsRefused(), Origin: origin,
		Controlled: r.GetControlled(), Uncontrolled: counts(r.GetUncontrolled()), Load: r.Load(),
	}
}

func at64(unixNano int64) time.Time { return time.Unix(0, unixNano).UTC() }

// nanos keeps a negative value (unknown) from becoming a huge one.
func nanos(n int64) uint64 { return uint64(max(n, 0)) }

func texts(vs []comparator.Verdict) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = string(v)
	}
	return out
}

func counts(m map[string]uint64) map[string]uint64 {
	if m == nil {
		return map[string]uint64{}
	}
	return m
}
