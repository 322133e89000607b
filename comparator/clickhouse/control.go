package clickhouse

import (
	"hash/fnv"
	"time"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// controlRow is a row of the table stored_controls.
type controlRow struct {
	Run            string    `ch:"run"`
	ExchangeID     string    `ch:"exchange_id"`
	Route          string    `ch:"route"`
	Path           string    `ch:"path"`
	Statistic      string    `ch:"statistic"`
	Word           string    `ch:"word"`
	WordHash       uint64    `ch:"word_hash"`
	Heads          bool      `ch:"heads"`
	Tails          bool      `ch:"tails"`
	Control        bool      `ch:"control"`
	Candidate      bool      `ch:"candidate"`
	ClosedTime     time.Time `ch:"closed_time"`
	KafkaPartition int32     `ch:"kafka_partition"`
	KafkaOffset    int64     `ch:"kafka_offset"`
	TopicID        string    `ch:"topic_id"`
	Judgement      string    `ch:"judgement"`
	// Number tells the rows of one replay apart; 0 is that of the replay itself.
	Number uint32 `ch:"number"`
	// Verdict of the replay, in its own row.
	Verdict string `ch:"verdict"`
}

func (r *controlRow) size() int {
	return rowSize + len(r.ExchangeID) + len(r.Route) + len(r.Path) + len(r.Word)
}

// controlled is the statistic of the row that says that a replay has a control.
const controlled = "replay"

// toControls maps what a controlled replay tells; none for another.
func toControls(r *understudyv1.Replay, c comparator.Comparison, at Position, judgement string) []*controlRow {
	if !c.Controlled {
		return nil
	}
	rows := make([]*controlRow, 1+len(c.Tosses))
	row := func(i int) *controlRow {
		rows[i] = &controlRow{
			Run: r.GetRun(), ExchangeID: r.GetExchange().GetId(), Route: r.GetExchange().GetRoute(), Number: uint32(i), //nolint:gosec // some hundreds
			ClosedTime: at64(r.GetClosedUnixNano()), KafkaPartition: at.Partition, KafkaOffset: at.Offset, TopicID: at.TopicID, Judgement: judgement,
		}
		return rows[i]
	}
	of := row(0)
	of.Statistic, of.Verdict = controlled, string(c.Verdict)
	for i, s := range c.Tosses {
		x := row(i + 1)
		x.Path, x.Statistic, x.Word, x.WordHash = s.Path, string(s.Statistic), s.Word, hashOf(s.Word)
		x.Heads, x.Tails, x.Control, x.Candidate = s.Heads, s.Tails, s.Control, s.Candidate
	}
	return rows
}

// hashOf tells words apart when they have expired.
func hashOf(word string) uint64 {
	if word == "" {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(word))
	return h.Sum64()
}
