package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"understudy.dev/comparator"
	"understudy.dev/comparator/gate"
	"understudy.dev/gateway/controller"
	"understudy.dev/gateway/plan"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting/source"
	"understudy.dev/stream"
)

func (a *app) controllerCommand() *cobra.Command {
	file, check := "", false
	c := &cobra.Command{
		Use: "controller --plan FILE", Short: "Walk the plan of a migration: ask the gate, go on, roll back", Args: exactly(),
		Long: `   plan: stages, times, traffic, hours
        │
        ▼
   gate (ClickHouse: what the stage has shown) ─► step (Kafka) ─► every gateway

Promotes when the gate does and the plan lets it, rolls back as soon as the gate
says so, and otherwise stays and says why. Only a person ends a rollback. What
cannot be asked is a hold. Several may run: one acts, and another one goes on
when it has gone. Every step is in Kafka and, with what it rested on, in the
table stages. Give it the configuration with which the run is judged.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if file == "" {
				return usagef("controller needs --plan FILE; docs/controller.md shows one")
			}
			w, err := a.readPlan(file)
			if err != nil {
				return err
			}
			if check {
				fmt.Fprintf(a.out, "%s: a plan of %d steps for migration %s\n", file, len(w.plan.Steps), w.plan.Migration)
				return nil
			}
			return a.walk(c.Context(), w)
		},
	}
	a.kafkaFlags(c)
	a.clickhouseFlags(c)
	a.adminFlag(c)
	c.Flags().StringVar(&file, "plan", "", "YAML file with the steps")
	c.Flags().BoolVar(&check, "check", false, "say whether the plan can be used, and end")
	return c
}

// walker walks one plan.
type walker struct {
	plan     plan.Plan
	policies map[string]policyFile // by the name that the plan gives them
	// sum is the SHA-256 of all that decides: plan, policies, and the rules by which
	// replays are judged.
	sum       string
	judgement comparator.Judgement
	warned    map[string]bool
}

type policyFile struct {
	gate.Policy
	origins source.Origins
	sum     string
}

// readPlan reads a plan and its policies, whose files are named from its folder on.
func (a *app) readPlan(path string) (*walker, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, usagef("--plan: %w", err)
	}
	p, origins := plan.Default(), source.Origins{}
	mistakes := source.Of(source.Read(data, path, &p, origins)).With(origins, p.Validate())
	for i, m := range mistakes {
		if m.From.Kind == source.Default { // a key that is missing
			mistakes[i].From = source.Origin{Kind: source.File, Name: path, Line: 1, Column: 1}
		}
	}
	if err := mistakes.Err(); err != nil {
		return nil, usage(err)
	}
	w := &walker{plan: p, policies: map[string]policyFile{}, warned: map[string]bool{}}
	sum := sha256.New()
	sum.Write(data)
	names := []string{p.Gate}
	for _, s := range p.Steps {
		names = append(names, s.Gate)
	}
	for _, name := range names {
		if _, known := w.policies[name]; known || name == "" {
			continue
		}
		f, content, err := a.readPolicyFile(filepath.Dir(path), name)
		if err != nil {
			return nil, err
		}
		w.policies[name] = f
		sum.Write(content)
	}
	if w.judgement, err = a.cfg.Compare.Judgement(); err != nil {
		return nil, usagef("compare: %w", err)
	}
	if err := a.need("compare"); err != nil {
		return nil, err
	}
	sum.Write([]byte(w.judgement.ID))
	w.sum = hex.EncodeToString(sum.Sum(nil))
	return w, nil
}

func (a *app) readPolicyFile(folder, name string) (policyFile, []byte, error) {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, name)
	}
	content, err := readBounded(path)
	if err != nil {
		return policyFile{}, nil, usagef("gate: %w", err)
	}
	f := policyFile{}
	if f.Policy, f.origins, err = readPolicy(path); err != nil {
		return policyFile{}, nil, err
	}
	if f.Audit.Recall != "" {
		return policyFile{}, nil, usagef("%s: audit: a controller has no audit to show, and would hold for ever; remove it, and ask understudy gate --audit by hand", path)
	}
	f.sum = hash(content)
	return f, content, nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// markLength is how much of the sum of a plan its controllers show each other.
const markLength = 12

// walk walks a plan until it is told to stop.
func (a *app) walk(ctx context.Context, w *walker) error {
	if err := a.need("kafka", "kafka.producer", "clickhouse"); err != nil {
		return err
	}
	if err := a.requireTopics(ctx, a.names().Stages); err != nil {
		return err
	}
	ad := newAdmin(a.cfg.AdminAccess, a.logs)
	stopAdmin, err := ad.start(a.cfg.Admin, a.log)
	if err != nil {
		return err
	}
	defer stopAdmin()
	p, err := a.stepProducer(ctx)
	if err != nil {
		return err
	}
	defer p.Close()
	group := a.cfg.Kafka.Prefix + ".controller." + w.plan.Migration
	leader, err := stream.NewLeader(a.cfg.Kafka.Config, group, a.names().Stages, w.sum[:markLength], a.log)
	if err != nil {
		return dependency(err)
	}
	c, err := controller.New(w.plan, controller.World{
		Acts: leader.Leads, Rivals: leader.Others,
		Steps: func(ctx context.Context) ([]*understudyv1.Stage, error) {
			return stream.StagesOf(ctx, a.cfg.Kafka.Config, a.names(), w.plan.Migration)
		},
		Ask: func(ctx context.Context, policy string, steps []*understudyv1.Stage) (plan.Verdict, *understudyv1.Evidence) {
			return a.askGate(ctx, w, policy, steps)
		},
		Write: func(ctx context.Context, o stage.Order, e *understudyv1.Evidence, check func([]*understudyv1.Stage) error) (*understudyv1.Stage, error) {
			step, _, err := a.putStep(ctx, p, o, "controller@"+hostname(), e, check)
			return step, err
		},
		Audit: func(ctx context.Context, steps []*understudyv1.Stage) error { return a.auditSteps(ctx, p, steps) },
	}, a.log, ad.registry)
	if err != nil {
		return err
	}
	a.log.Info("controller", "migration", w.plan.Migration, "steps", len(w.plan.Steps), "plan", w.sum[:markLength], "policies", slices.Sorted(maps.Keys(w.policies)))
	ad.serve()
	var running sync.WaitGroup
	running.Go(func() { leader.Run(ctx) })
	err = c.Run(ctx)
	running.Wait()
	return err
}

// maxEvidence bounds what a step keeps of a gate's result, in bytes.
const maxEvidence = 64 << 10

// evidenceOf is what a step keeps of a gate's result: without routes that stand in
// no way, and without any where that is too long.
func evidenceOf(r gate.Result, w *walker, policy policyFile) *understudyv1.Evidence {
	e := &understudyv1.Evidence{
		Run: r.Run, Judgement: r.Judgement, Since: r.Scope.Since, Decision: string(r.Decision), Requests: r.Total.Requests, PlanSha256: w.sum, PolicySha256: policy.sum,
	}
	r.Routes = slices.DeleteFunc(slices.Clone(r.Routes), func(u gate.Unit) bool { return u.Decision == gate.Together || u.Decision == gate.Promote })
	if e.Result = resultJSON(r); len(e.Result) > maxEvidence {
		r.Routes, r.Exempt, r.Warnings, r.Reasons = []gate.Unit{}, []gate.Exempt{}, []gate.Warning{}, r.Reasons[:min(len(r.Reasons), 20)]
		e.Result = resultJSON(r)
	}
	if len(e.Result) > maxEvidence {
		e.Result = nil // routes whose names alone are too long
	}
	return e
}

func resultJSON(r gate.Result) []byte {
	var b bytes.Buffer
	if err := compactJSON(&b, r); err != nil {
		return nil
	}
	return bytes.TrimSpace(b.Bytes())
}
