package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/comparator/gate"
	"understudy.dev/comparator/report"
	"understudy.dev/gateway/plan"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
	"understudy.dev/setting/source"
	"understudy.dev/stream"
)

// askGate asks the gate about the stage that steps have led to. What cannot be
// asked holds.
func (a *app) askGate(ctx context.Context, w *walker, name string, steps []*understudyv1.Stage) (plan.Verdict, *understudyv1.Evidence) {
	policy := w.policies[name]
	var r gate.Result
	err := a.withTables(ctx, func(conn driver.Conn) error {
		e, err := report.StageEvidence(ctx, conn, scopeOf(steps), w.plan.Run, policy.Thresholds(), w.judgement)
		if err == nil {
			r = a.decide(policy.Policy, e)
		}
		return err
	})
	if err != nil {
		return plan.Verdict{Why: "it cannot be asked: " + report.Clean(err.Error())}, nil
	}
	a.warnOnce(w, policy, r)
	return plan.Verdict{
		Promote: r.Decision == gate.Promote, RollBack: r.Decision == gate.RollBack, Requests: r.Total.Requests, Why: report.Clean(r.Why()),
	}, evidenceOf(r, w, policy)
}

// warnOnce says what is odd about a policy, once: a route that matches nothing, and
// the nearest there is.
func (a *app) warnOnce(w *walker, policy policyFile, r gate.Result) {
	for _, x := range r.Warnings {
		text := source.Mistake{Problem: setting.Problem{Path: x.Path, Fault: x.What}, From: policy.origins.Near(x.Path)}.Error()
		if !w.warned[text] {
			w.warned[text] = true
			a.log.Warn("policy", "migration", w.plan.Migration, "warning", report.Clean(text))
		}
	}
}

// auditSteps puts steps into the tables.
func (a *app) auditSteps(ctx context.Context, p *stream.Producer, steps []*understudyv1.Stage) error {
	id, err := stream.TopicID(ctx, p.Client(), a.names().Stages)
	if err != nil {
		return err
	}
	return a.withTables(ctx, func(conn driver.Conn) error {
		return clickhouse.WriteStages(ctx, conn, id, steps, func(s *understudyv1.Stage) string { return stage.Of(s).String() })
	})
}

func compactJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	return nil
}
