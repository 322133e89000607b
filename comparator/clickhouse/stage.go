package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// stageRow is a row of the table stages.
type stageRow struct {
	TopicID    string    `ch:"topic_id"`
	Migration  string    `ch:"migration"`
	Step       uint64    `ch:"step"`
	Route      string    `ch:"route"`
	Stage      string    `ch:"stage"`
	Weight     uint32    `ch:"weight"`
	RolledBack bool      `ch:"rolled_back"`
	Held       bool      `ch:"held"`
	Action     string    `ch:"action"`
	Who        string    `ch:"who"`
	Reason     string    `ch:"reason"`
	Time       time.Time `ch:"time"`
	ID         string    `ch:"id"`
	Run        string    `ch:"run"`
	Judgement  string    `ch:"judgement"`
	Since      uint64    `ch:"since"`
	Decision   string    `ch:"decision"`
	Requests   uint64    `ch:"requests"`
	Plan       string    `ch:"plan"`
	Policy     string    `ch:"policy"`
	Evidence   string    `ch:"evidence"`
}

func toStage(s *understudyv1.Stage, named, topicID string) *stageRow {
	e := s.GetEvidence()
	return &stageRow{
		TopicID: topicID, Migration: s.GetMigration(), Step: s.GetVersion(), Route: s.GetRoute(), Stage: named, Weight: s.GetWeight(),
		RolledBack: s.GetRolledBack(), Held: s.GetHeld(), Action: s.GetAction(), Who: s.GetWho(), Reason: s.GetReason(),
		Time: at64(s.GetTimeUnixNano()), ID: s.GetId(), Run: e.GetRun(), Judgement: e.GetJudgement(), Since: e.GetSince(),
		Decision: e.GetDecision(), Requests: e.GetRequests(), Plan: e.GetPlanSha256(), Policy: e.GetPolicySha256(), Evidence: string(e.GetResult()),
	}
}

// WriteStages puts steps of migrations into the tables; name says what each one's
// stage is called. A step that is there already replaces itself, so that whoever
// is not sure writes it again.
func WriteStages(ctx context.Context, conn driver.Conn, topicID string, steps []*understudyv1.Stage, name func(*understudyv1.Stage) string) error {
	if len(steps) == 0 {
		return nil
	}
	batch, err := conn.PrepareBatch(whole(ctx), "INSERT INTO stored_stages ("+columns[stageRow]()+")")
	if err != nil {
		return fmt.Errorf("insert into stored_stages: %w", err)
	}
	for _, s := range steps {
		if err := batch.AppendStruct(toStage(s, name(s), topicID)); err != nil {
			_ = batch.Abort()
			return fmt.Errorf("insert into stored_stages: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert into stored_stages: %w", err)
	}
	return nil
}
