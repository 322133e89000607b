// Package controller walks a plan: it looks at a migration again and again, asks
// the gate, and writes the step that follows. Of several only one acts; it keeps
// nothing between two looks that it could not find again, so it may be killed
// whenever it likes: a step is one record in Kafka, there or not.
package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/gateway/plan"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// World is what a controller knows and does. Its functions are called by one
// goroutine, and return when ctx ends.
type World struct {
	// Acts reports whether it is this controller that acts.
	Acts func() bool
	// Steps are those of the migration that the topic holds.
	Steps func(ctx context.Context) ([]*understudyv1.Stage, error)
	// Rivals are the controllers of the migration that walk another plan, in words.
	Rivals func(ctx context.Context) ([]string, error)
	// Ask asks the gate of a policy file about the stage that steps have led to. What
	// cannot be asked holds, and its verdict says why.
	Ask func(ctx context.Context, policy string, steps []*understudyv1.Stage) (plan.Verdict, *understudyv1.Evidence)
	// Write writes the step that an order makes. check is given the steps that there
	// are then; its error keeps the step from being written.
	Write func(ctx context.Context, o stage.Order, e *understudyv1.Evidence, check func([]*understudyv1.Stage) error) (*understudyv1.Stage, error)
	// Audit puts steps into the tables; it may be given one twice.
	Audit func(ctx context.Context, steps []*understudyv1.Stage) error
}

// ErrMoved is that somebody has written a step since the gate was asked.
var ErrMoved = errors.New("the migration has moved on meanwhile")

// Bounds of one look.
const (
	askTime   = time.Minute
	writeTime = 30 * time.Second
	// soon is the pause before what failed is tried again: a rollback, above all.
	soon = time.Second
)

// Controller walks one plan.
type Controller struct {
	plan    plan.Plan
	world   World
	log     *slog.Logger
	metrics *metrics

	acted   bool
	said    string
	audited uint64            // the number of the last step that is in the tables
	faults  map[string]string // what was said last of what failed
}

type metrics struct {
	acting, unaudited, rivals prometheus.Gauge
	looks                     *prometheus.CounterVec
	steps                     *prometheus.CounterVec
}

// New makes a controller of a plan that is valid.
func New(p plan.Plan, world World, log *slog.Logger, reg prometheus.Registerer) (*Controller, error) {
	const space = "understudy_controller_"
	m := &metrics{
		acting:    prometheus.NewGauge(prometheus.GaugeOpts{Name: space + "acting", Help: "1 while it is this controller that acts."}),
		unaudited: prometheus.NewGauge(prometheus.GaugeOpts{Name: space + "unaudited_steps", Help: "Steps that are not in ClickHouse yet."}),
		rivals:    prometheus.NewGauge(prometheus.GaugeOpts{Name: space + "rivals", Help: "Controllers of the migration that walk another plan."}),
		looks:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: space + "looks_total", Help: "Looks at the migration, by what the gate said: promote, hold, roll_back, none (not asked)."}, []string{"gate"}),
		steps:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: space + "steps_total", Help: "Steps that this controller wrote."}, []string{"action"}),
	}
	for _, c := range []prometheus.Collector{m.acting, m.unaudited, m.rivals, m.looks, m.steps} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	// They are there from the start, or the first one would be no increase.
	for _, action := range []string{stage.ActionPromote, stage.ActionRollback} {
		m.steps.WithLabelValues(action)
	}
	return &Controller{plan: p, world: world, log: log, metrics: m, faults: map[string]string{}}, nil
}

// Run looks again and again until ctx ends.
func (c *Controller) Run(ctx context.Context) error {
	for {
		pause := c.plan.Every
		if !c.look(ctx) {
			pause = min(pause, soon)
		}
		if acts := c.world.Acts(); !acts {
			pause = min(pause, soon) // whose turn it is may change
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// look looks once; it is false if something is to be tried again soon.
func (c *Controller) look(ctx context.Context) bool {
	acts := c.world.Acts()
	if acts != c.acted {
		c.acted, c.said = acts, ""
		c.log.Info(map[bool]string{true: "this controller acts", false: "another controller acts"}[acts], "migration", c.plan.Migration)
	}
	if !acts {
		c.metrics.acting.Set(0)
		c.rivals(ctx)
		return true
	}
	c.metrics.acting.Set(1)
	steps, err := c.world.Steps(ctx)
	if c.fault(ctx, "the steps of the migration cannot be read", err) {
		return false
	}
	_, counted := stage.Fold(steps)
	c.audit(ctx, counted)
	v := c.plan.Look(counted, time.Now())
	if rivals := c.rivals(ctx); len(rivals) > 0 {
		v.Waits = append(v.Waits, "another controller walks another plan: "+strings.Join(rivals, ", "))
	}
	verdict, evidence := plan.Verdict{}, (*understudyv1.Evidence)(nil)
	if v.Gate != "" {
		asking, cancel := context.WithTimeout(ctx, askTime)
		verdict, evidence = c.world.Ask(asking, v.Gate, steps)
		cancel()
	}
	c.metrics.looks.WithLabelValues(gateName(v, verdict)).Inc()
	order, why := v.Order(verdict)
	if order == nil {
		c.say(v, why)
		return true
	}
	return c.write(ctx, *order, evidence, v)
}

func gateName(v plan.View, verdict plan.Verdict) string {
	switch {
	case v.Gate == "":
		return "none"
	case verdict.RollBack:
		return "roll_back"
	case verdict.Promote:
		return "promote"
	}
	return "hold"
}

// write writes the step of an order, unless somebody else was faster.
func (c *Controller) write(ctx context.Context, order stage.Order, evidence *understudyv1.Evidence, v plan.View) bool {
	writing, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	step, err := c.world.Write(writing, order, evidence, func(now []*understudyv1.Stage) error {
		s, counted := stage.Fold(now)
		if since, _ := stage.Begun(counted); since != v.Since || order.Action == stage.ActionPromote && s.Version() != v.Version {
			return ErrMoved
		}
		return nil
	})
	if errors.Is(err, ErrMoved) {
		c.log.Info("no step: "+ErrMoved.Error(), "migration", c.plan.Migration)
		return false
	}
	if c.fault(ctx, "the step cannot be written: "+order.Action, err) {
		return false
	}
	c.metrics.steps.WithLabelValues(order.Action).Inc()
	c.said = ""
	level := slog.LevelInfo
	if order.Action == stage.ActionRollback {
		level = slog.LevelWarn
	}
	c.log.Log(ctx, level, "step", "migration", c.plan.Migration, "action", order.Action, "from", stage.Describe(v.At), "to", stage.Describe(step), "why", step.GetReason(), "version", step.GetVersion())
	if steps, err := c.world.Steps(ctx); err == nil {
		_, counted := stage.Fold(steps)
		c.audit(ctx, counted)
	}
	return true
}

// say tells what is waited for, when that is something else than before.
func (c *Controller) say(v plan.View, why string) {
	if key := fmt.Sprint(v.Version, digits(why)); key != c.said {
		c.said = key
		next := ""
		if v.Next != nil {
			next = v.Next.Stage
		}
		c.log.Info("it stays", "migration", c.plan.Migration, "stage", stage.Describe(v.At), "next", next, "why", why)
	}
}

// digits takes the numbers out of a text, which change at every look.
func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text)
}

// audit puts steps into the tables that are not known to be there.
func (c *Controller) audit(ctx context.Context, counted []*understudyv1.Stage) {
	missing := slices.DeleteFunc(slices.Clone(counted), func(s *understudyv1.Stage) bool { return s.GetVersion() <= c.audited })
	c.metrics.unaudited.Set(float64(len(missing)))
	if len(missing) == 0 {
		return
	}
	writing, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	if c.fault(ctx, "steps are in Kafka, and not in ClickHouse yet", c.world.Audit(writing, missing)) {
		return
	}
	c.audited = missing[len(missing)-1].GetVersion()
	c.metrics.unaudited.Set(0)
}

// rivals are those that walk another plan.
func (c *Controller) rivals(ctx context.Context) []string {
	asking, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	rivals, err := c.world.Rivals(asking)
	c.fault(ctx, "the other controllers cannot be asked for", err)
	c.metrics.rivals.Set(float64(len(rivals)))
	var differs error
	if len(rivals) > 0 {
		differs = errors.New(strings.Join(rivals, ", "))
	}
	c.fault(ctx, "another controller walks another plan: nothing is promoted until they agree", differs)
	return rivals
}

// fault says what failed when it is another error than before, and that it is over;
// it reports whether there is one.
func (c *Controller) fault(ctx context.Context, what string, err error) bool {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if before := c.faults[what]; text != before && ctx.Err() == nil {
		if c.faults[what] = text; text != "" {
			c.log.Error(what, "migration", c.plan.Migration, "error", err)
		} else {
			c.log.Info("over: "+what, "migration", c.plan.Migration)
		}
	}
	return err != nil
}
