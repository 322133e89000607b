package clickhouse

import (
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// substitutionRow is a row of the table substitutions.
type substitutionRow struct {
	Run            string    `ch:"run"`
	ExchangeID     string    `ch:"exchange_id"`
	Ordinal        uint64    `ch:"ordinal"`
	Route          string    `ch:"route"`
	Kind           string    `ch:"kind"`
	Recorded       string    `ch:"recorded"`
	Candidate      string    `ch:"candidate"`
	Proof          string    `ch:"proof"`
	Uses           uint32    `ch:"uses"`
	LearnedFrom    string    `ch:"learned_from"`
	BrokenBy       string    `ch:"broken_by"`
	ClosedTime     time.Time `ch:"closed_time"`
	KafkaPartition int32     `ch:"kafka_partition"`
	KafkaOffset    int64     `ch:"kafka_offset"`
	TopicID        string    `ch:"topic_id"`
	Number         uint32    `ch:"number"`
}

// toSubstitutions maps the pairs of names that a request used, and those that
// were contradicted. What only occurs in an answer stays in the record.
func toSubstitutions(r *understudyv1.Replay, at Position) []*substitutionRow {
	var rows []*substitutionRow
	for i, s := range r.GetSubstitutions() {
		if s.GetUses() == 0 && s.GetBrokenBy() == "" {
			continue
		}
		rows = append(rows, &substitutionRow{
			Run: r.GetRun(), ExchangeID: r.GetExchange().GetId(), Ordinal: r.GetOrdinal(), Route: r.GetExchange().GetRoute(), Kind: s.GetKind(),
			Recorded: s.GetRecorded(), Candidate: s.GetCandidate(), Proof: understudyv1.Label(s.GetProof()), Uses: s.GetUses(),
			LearnedFrom: s.GetLearnedFrom(), BrokenBy: s.GetBrokenBy(),
			ClosedTime: at64(r.GetClosedUnixNano()), KafkaPartition: at.Partition, KafkaOffset: at.Offset, TopicID: at.TopicID, Number: uint32(i),
		})
	}
	return rows
}

func (r *substitutionRow) size() int {
	return rowSize + len(r.ExchangeID) + len(r.Route) + len(r.Recorded) + len(r.Candidate) + len(r.LearnedFrom) + len(r.BrokenBy)
}
