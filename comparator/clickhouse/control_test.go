package clickhouse

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/comparator"
)

// TestControlRows: one for the replay, so that controlled replays can be counted,
// and one for each toss.
func TestControlRows(t *testing.T) {
	if rows := toControls(replay(), comparator.Comparison{}, at, "j"); len(rows) > 0 {
		t.Errorf("without a control: %v", rows)
	}
	c := comparator.Comparison{Controlled: true, Verdict: comparator.Mismatch, Tosses: []comparator.Toss{
		{Path: "$.a", Statistic: comparator.Differs, Control: true, Candidate: true},
		{Path: "$.a", Statistic: comparator.Share, Word: "x", Tails: true},
	}}
	base := controlRow{Run: "r", ExchangeID: "id", Route: "POST /orders", Statistic: "replay", ClosedTime: at64(500), KafkaPartition: 3, KafkaOffset: 77, TopicID: "topic", Judgement: "j"}
	differs, share := base, base
	base.Verdict = "mismatch"
	differs.Path, differs.Statistic, differs.Control, differs.Candidate, differs.Number = "$.a", "differs", true, true, 1
	share.Path, share.Statistic, share.Word, share.WordHash, share.Tails, share.Number = "$.a", "share", "x", 0xaf63f54c86021707, true, 2
	if diff := cmp.Diff([]*controlRow{&base, &differs, &share}, toControls(replay(), c, at, "j")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
