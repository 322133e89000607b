package clickhouse

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/comparator"
	"understudy.dev/comparator/clickhouse"
	"understudy.dev/comparator/gate"
	"understudy.dev/comparator/report"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

const (
	bySide    = understudyv1.Side_SIDE_BASELINE
	byOther   = understudyv1.Side_SIDE_CANDIDATE
	theirStep = 4
)

var (
	mismatched = []comparator.Verdict{comparator.Mismatch}
	skipped    = []comparator.Verdict{comparator.Skipped}
	stageRun   = script{
		{route: "GET /a", findings: mismatched, baseline: 50, service: 90, step: 3, by: bySide}, // of a stage before
		{route: "GET /a", findings: mismatched, baseline: 50, service: 90},                      // of no gateway
		{route: "GET /a", findings: match, baseline: 50, service: 90, step: 4, by: bySide},
		{route: "GET /a", findings: skipped, baseline: 50, step: 4, by: byOther},
		{route: "GET /a", findings: match, baseline: 50, service: 90, step: 6, by: bySide}, // after a hold
		{route: "GET /a", findings: skipped, baseline: 50, step: 5, by: bySide},            // not sent, and nobody knows why it would have matched
		{route: "POST /b", findings: mismatched, baseline: 50, service: 90, step: 4, by: bySide},
		{route: "POST /b", findings: match, baseline: 50, service: 90, step: 5, by: bySide},
		{route: "POST /b", findings: match, baseline: 50, service: 90, step: 5, by: byOther}, // compared with the baseline afterwards
	}
)

// TestTheEvidenceOfAStage is that of its exchanges alone, of a route since its own
// step, without what the candidate served and nobody compared.
func TestTheEvidenceOfAStage(t *testing.T) {
	conn := database(t, "stage")
	stageRun.deliver(t, conn, 1, understudyv1.Run_STATE_RUNNING, all(len(stageRun))...)
	f := func(scope gate.Scope, run string, served uint64, want ...gate.Counts) {
		t.Helper()
		scope.Migration = "shop"
		e, err := report.StageEvidence(t.Context(), conn, scope, run, nil, asJudged)
		if err != nil || len(e.Spoiled) > 0 || e.Scope.Served != served {
			t.Errorf("%v, spoiled %v, served %d, want %d", err, e.Spoiled, e.Scope.Served, served)
		}
		if diff := cmp.Diff(want, e.Routes); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", scope, diff)
		}
	}
	a := gate.Counts{Route: "GET /a", First: 3, Requests: 3, Findings: map[string]uint64{"match": 2, "skipped": 1, "error": 0}, Skipped: 1}
	b := gate.Counts{Route: "POST /b", First: 7, Requests: 3, Findings: map[string]uint64{"match": 2, "mismatch": 1, "error": 0}}
	f(gate.Scope{Since: theirStep}, "", 1, a, b)
	f(gate.Scope{Since: theirStep}, "r", 1, a, b)
	b.First, b.Requests, b.Findings = 8, 2, map[string]uint64{"match": 2, "error": 0}
	f(gate.Scope{Since: theirStep, Routes: map[string]uint64{"POST /b": 5, "GET /it's": 9}}, "", 1, a, b)
	f(gate.Scope{Since: 7}, "", 0)
	if e, err := report.StageEvidence(t.Context(), conn, gate.Scope{Migration: "other", Since: 1}, "", nil, asJudged); err != nil || e.Run != "" || len(e.Routes) > 0 {
		t.Errorf("another migration: %+v, %v", e, err)
	}
	// The books of the run hold, though the stage is a part of it.
	stageRun.deliver(t, conn, 2, understudyv1.Run_STATE_COMPLETED, all(len(stageRun))...)
	e, err := report.StageEvidence(t.Context(), conn, gate.Scope{Migration: "shop", Since: theirStep}, "", nil, asJudged)
	if err != nil || len(e.Spoiled) > 0 || len(e.Routes) != 2 {
		t.Errorf("of a run that has ended: %+v, %v", e, err)
	}
}

// TestTwoRunsOfAStage are not added up.
func TestTwoRunsOfAStage(t *testing.T) {
	conn := database(t, "stageruns")
	stageRun.deliver(t, conn, 1, understudyv1.Run_STATE_RUNNING, all(len(stageRun))...)
	err := conn.Exec(t.Context(), `INSERT INTO stored_comparisons SELECT * REPLACE('other' AS run) FROM stored_comparisons`)
	if err == nil {
		err = conn.Exec(t.Context(), `INSERT INTO judged_runs (run, judgement, chosen, made_by) VALUES ('other', 'j', true, 'test')`)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = report.StageEvidence(t.Context(), conn, gate.Scope{Migration: "shop", Since: theirStep}, "", nil, asJudged)
	if !errors.Is(err, report.ErrSeveralRuns) || !strings.Contains(err.Error(), "other, r") {
		t.Error(err)
	}
	if e, err := report.StageEvidence(t.Context(), conn, gate.Scope{Migration: "shop", Since: theirStep}, "r", nil, asJudged); err != nil || len(e.Routes) != 2 {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestStagesInTheTables: a step that is written again is there once, with all that
// it rested on.
func TestStagesInTheTables(t *testing.T) {
	conn := database(t, "steps")
	step := &understudyv1.Stage{
		Migration: "shop", Name: understudyv1.Stage_NAME_CANARY, Weight: 1000, RolledBack: true, Version: 7, Id: "x", Action: "rollback", Who: "controller@host", Reason: "it lies",
		TimeUnixNano: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC).UnixNano(),
		Evidence:     &understudyv1.Evidence{Run: "shadow", Judgement: "j", Since: 5, Decision: "roll_back", Requests: 812, PlanSha256: "aa", PolicySha256: "bb", Result: []byte(`{"run":"shadow"}`)},
	}
	for range 2 {
		if err := clickhouse.WriteStages(t.Context(), conn, "topic", []*understudyv1.Stage{step}, func(*understudyv1.Stage) string { return "canary:10%" }); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	var n, requests uint64
	if err := conn.QueryRow(t.Context(), `SELECT count(), any(s.requests), any([s.stage, s.action, s.who, s.reason, s.run, s.judgement, s.decision, s.plan, s.policy, s.evidence, toString(s.step), toString(s.since)]) FROM stages AS s`).Scan(&n, &requests, &got); err != nil {
		t.Fatal(err)
	}
	want := []string{"canary:10%", "rollback", "controller@host", "it lies", "shadow", "j", "roll_back", "aa", "bb", `{"run":"shadow"}`, "7", "5"}
	if diff := cmp.Diff(want, got); diff != "" || n != 1 || requests != 812 {
		t.Errorf("%d rows, %d requests (-want +got):\n%s", n, requests, diff)
	}
}
