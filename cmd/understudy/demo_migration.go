package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"understudy.dev/comparator/report/text"
	"understudy.dev/demo/turn"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func (a *app) demoMigrationCommand() *cobra.Command {
	output := text.Table
	c := &cobra.Command{
		Use: "migration", Short: "Move users over, with a candidate that lies on the way", Args: exactly(),
		Long: `Starts the embedded platform, two systems that answer alike, a gateway, a
rehearsal, a comparator and a controller, and users who check every answer.
The controller walks from off to live by its gate. In the canary of 10% the
candidate begins to lie: the gate rolls back by itself, the fault is mended, a
person resumes, and the migration completes. Exit code 3 if a user got an
error, an effect happened twice, or no rollback came.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != text.Table && output != text.JSON {
				return usagef("-o %q: want table or json", output)
			}
			a.demoPlatform(c, false)
			return a.demoMigration(c.Context(), output)
		},
	}
	a.platformFlags(c)
	c.Flags().StringVarP(&output, "output", "o", output, "table or json")
	enumerate(c, "output", text.Table, text.JSON)
	return c
}

const (
	demoMigrationName = "shop"
	demoPolicy        = "limits: {mismatch: 5%, rejected: 5%, lost: 5%, error: 5%, contradictory: 5%, duplicate: 5%, late: 100%, out_of_order: 5%}\n"
	demoPlan          = `migration: shop
gate: gate.yaml
run: shadow
every: 1s
again: automatic
steps:
  - {stage: shadow, requests: 200}
  - {stage: canary:1%, requests: 200}
  - {stage: canary:10%, requests: 300}
  - {stage: canary:50%, requests: 200}
  - {stage: live}
  - {stage: complete, enter: by_hand}
`
	demoUsers = 60
	demoPause = time.Second
	// demoMost bounds the demo: on a machine that is too busy it fails.
	demoMost = 10 * time.Minute
)

// secondAct is the demo of a migration.
type secondAct struct {
	a     *app
	dir   string
	shop  *turn.Shop
	users *turn.Users
	began time.Time
	// failed is told why a part has ended.
	failed chan error

	lying time.Time
	story actStory
}

// actStory is what came of it.
type actStory struct {
	Timeline []actStep `json:"timeline"`
	turn.Counts
	// RollbackSeconds is from the first lie to the rollback's step, LastLieSeconds to
	// the last lie that a user got.
	RollbackSeconds float64 `json:"rollback_seconds"`
	LastLieSeconds  float64 `json:"last_lie_seconds"`
	Orders          int     `json:"orders"`
	Doubled         int     `json:"doubled_effects"`
	Seconds         float64 `json:"seconds"`
}

type actStep struct {
	Seconds  float64 `json:"seconds"`
	Action   string  `json:"action"`
	Stage    string  `json:"stage"`
	Who      string  `json:"who"`
	Why      string  `json:"why"`
	Requests uint64  `json:"requests"`
}

func (a *app) demoMigration(ctx context.Context, output string) error {
	dir, err := os.MkdirTemp("", "understudy-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if a.cfg.Dev.DataDir == "" {
		a.cfg.Dev.DataDir = filepath.Join(dir, "platform")
	}
	platform, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	_, wait, err := a.startPlatform(platform)
	if err != nil {
		return err
	}
	d := &secondAct{a: a, dir: dir, began: time.Now(), failed: make(chan error, 8)}
	err = d.run(ctx)
	stop()
	if err = errors.Join(err, wait()); err != nil {
		return err
	}
	return d.show(output)
}

// run plays the act, and returns when all that it started has ended.
func (d *secondAct) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoMost)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer end(errNothingLeft)
	part := func(ctx context.Context, name string, f func(context.Context) error) {
		running.Go(func() {
			if err := f(ctx); ctx.Err() == nil {
				d.failed <- fmt.Errorf("%s ended: %w", name, errors.Join(err, errors.New("it was to go on")))
			}
		})
	}
	var err error
	if d.shop, err = turn.NewShop(); err != nil {
		return err
	}
	part(ctx, "the shop", d.shop.Run)
	address, err := freeLoopback()
	if err != nil {
		return err
	}
	w, err := d.configure(address)
	if err != nil {
		return err
	}
	part(ctx, "the gateway", func(ctx context.Context) error { return d.a.record(ctx, true) })
	if err := awaitListener(ctx, address, d.failed); err != nil {
		return err
	}
	part(ctx, "the rehearsal", func(ctx context.Context) error {
		_, err := d.a.runReplay(ctx, replayFlags{})
		return err
	})
	part(ctx, "the comparator", func(ctx context.Context) error { return d.a.compare(ctx, compareFlags{follow: true}) })
	asking, enough := context.WithCancel(ctx)
	defer enough()
	d.users = &turn.Users{URL: "http://" + address, N: demoUsers, Pause: demoPause}
	var users sync.WaitGroup
	users.Go(func() { d.users.Run(asking) })
	defer users.Wait()
	defer enough()
	if err := d.order(ctx, stage.Order{Action: stage.ActionCreate}); err != nil {
		return err
	}
	part(ctx, "the controller", func(ctx context.Context) error { return d.a.walk(ctx, w) })
	if err := d.follow(ctx); err != nil {
		return err
	}
	enough()
	users.Wait() // before the gateway goes
	return nil
}

// configure sets what the parts need, before the first of them reads it.
func (d *secondAct) configure(address string) (*walker, error) {
	cfg := &d.a.cfg
	cfg.Admin = ""
	cfg.Record.Key, cfg.Record.Listen, cfg.Record.Upstream.URL = rand.Text(), address, d.shop.Baseline
	cfg.Record.Session = []string{"header:" + turn.SessionHeader}
	cfg.Gateway.Migration, cfg.Gateway.Candidate.URL, cfg.Gateway.StateDir = demoMigrationName, d.shop.Candidate, filepath.Join(d.dir, "state")
	cfg.Replay.Run, cfg.Replay.Candidate, cfg.Replay.Follow, cfg.Replay.Delay, cfg.Replay.Isolated = "shadow", d.shop.Rehearsal, true, 500*time.Millisecond, true
	for name, content := range map[string]string{"gate.yaml": demoPolicy, "plan.yaml": demoPlan} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	return d.a.readPlan(filepath.Join(d.dir, "plan.yaml"))
}

// order is what a person does.
func (d *secondAct) order(ctx context.Context, o stage.Order) error {
	p, err := d.a.stepProducer(ctx)
	if err != nil {
		return err
	}
	defer p.Close()
	o.Migration = demoMigrationName
	_, _, err = d.a.putStep(ctx, p, o, who(), nil, func([]*understudyv1.Stage) error { return nil })
	return err
}

// follow watches the steps, and does what people do, until it is complete.
func (d *secondAct) follow(ctx context.Context) error {
	for seen := 0; ; {
		steps, err := stream.StagesOf(ctx, d.a.cfg.Kafka.Config, d.a.names(), demoMigrationName)
		if err != nil {
			return err
		}
		_, counted := stage.Fold(steps)
		for ; seen < len(counted); seen++ {
			d.note(counted[seen])
			if complete, err := d.react(ctx, counted[seen]); complete || err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the migration is not complete: %w", context.Cause(ctx))
		case err := <-d.failed:
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (d *secondAct) say(format string, args ...any) {
	fmt.Fprintf(d.a.errOut, "%5.1fs  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

func (d *secondAct) note(s *understudyv1.Stage) {
	x := actStep{
		Seconds: time.Unix(0, s.GetTimeUnixNano()).Sub(d.began).Seconds(), Action: s.GetAction(), Stage: stage.Of(s).String(),
		Who: s.GetWho(), Why: s.GetReason(), Requests: s.GetEvidence().GetRequests(),
	}
	d.story.Timeline = append(d.story.Timeline, x)
	d.say("%-8s %-10s  %s", x.Action, x.Stage, clipTo(x.Why, 110))
}

func clipTo(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// react does what follows a step: the fault, its end, and what a person decides.
func (d *secondAct) react(ctx context.Context, s *understudyv1.Stage) (complete bool, err error) {
	at := stage.Of(s)
	switch {
	case s.GetAction() == stage.ActionPromote && at.Weight == 1000 && d.lying.IsZero():
		d.lying = time.Now()
		d.shop.Lie(true)
		d.say("the candidate begins to lie")
	case s.GetAction() == stage.ActionRollback:
		d.story.RollbackSeconds = time.Unix(0, s.GetTimeUnixNano()).Sub(d.lying).Seconds()
		if err := d.pause(ctx, 2*time.Second); err != nil { // what is under way
			return false, err
		}
		d.shop.Lie(false)
		_, last := d.shop.Lies()
		d.story.LastLieSeconds = last.Sub(d.lying).Seconds()
		d.say("the candidate is mended; %d answers were lies", d.users.Counts().Wrong)
		return false, d.order(ctx, stage.Order{Action: stage.ActionResume, Reason: "mended"})
	case at.Name == understudyv1.Stage_NAME_LIVE:
		if err := d.pause(ctx, 3*time.Second); err != nil {
			return false, err
		}
		return false, d.order(ctx, stage.Order{Action: stage.ActionPromote, To: &stage.Stage{Name: understudyv1.Stage_NAME_COMPLETE}, Reason: "all is well"})
	case at.Name == understudyv1.Stage_NAME_COMPLETE:
		return true, d.pause(ctx, 2*time.Second)
	}
	return false, nil
}

func (d *secondAct) pause(ctx context.Context, long time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(long):
		return nil
	}
}

// show prints what came of it.
func (d *secondAct) show(output string) error {
	s := &d.story
	s.Counts, s.Seconds = d.users.Counts(), time.Since(d.began).Seconds()
	s.Orders, s.Doubled = d.shop.Effects()
	var err error
	if output == text.JSON {
		err = json.NewEncoder(d.a.out).Encode(s)
	} else {
		_, err = fmt.Fprintf(d.a.out, `
requests         %d, of which the candidate served %d
time to rollback %.1f s after the first lie, the last lie %.1f s after it
affected         %d requests
client errors    %d
orders           %d
doubled effects  %d
`, s.Requests, s.ByCandidate, s.RollbackSeconds, s.LastLieSeconds, s.Wrong, s.Errors, s.Orders, s.Doubled)
	}
	switch {
	case err != nil:
		return err
	case s.Errors > 0:
		return threshold(fmt.Errorf("users got errors, the first: %s", s.Fault))
	case s.Doubled > 0:
		return threshold(fmt.Errorf("%d effects happened twice", s.Doubled))
	case s.RollbackSeconds <= 0 || s.Wrong == 0:
		return threshold(errors.New("no lie was followed by a rollback"))
	}
	return nil
}
