// Package gateway decides for each request whether the baseline or the candidate
// serves it. In this order: the kill switch, a rollback, rules for the baseline,
// rules for the candidate, and what the flag says (package flag), which by
// default is what the steps of the migration say (package stage). What is not
// known is the baseline.
//
// It sends nothing itself: a Gateway is the door of package proxy. Everything
// that it is asked on the live path is answered from memory.
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/kill"
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/session"
	"understudy.dev/exchange/trace"
	"understudy.dev/exchange/visit"
	"understudy.dev/exchange/wire"
	"understudy.dev/gateway/face"
	"understudy.dev/gateway/flag"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Decisions beside those of package flag.
const (
	decisionKilled   = "killed"   // the kill switch is on
	decisionControl  = "control"  // a run asks the baseline again
	decisionRule     = "rule"     // of the configuration
	decisionAccepted = "accepted" // this side has accepted what it is about
)

// Gateway is the door to the two sides of one migration.
type Gateway struct {
	cfg      Config
	sessions *session.Extractor
	routes   *route.Templater
	pins     pins
	headers  []header
	faced    face.Routes
	accepted *face.Accepted
	flags    *flag.Flags
	file     *flag.File // nil: the flag's provider is another one
	steps    bool       // it is that of the steps
	kill     *kill.Switch
	log      *slog.Logger
	metrics  *metrics
	tracer   *trace.Tracer // nil: nothing is traced

	state   atomic.Pointer[stage.State]
	current atomic.Int64 // when state was last all that Kafka has, Unix nanoseconds; 0 is never

	// Step and Current alone have these.
	reading *stage.State // what the topic has said so far
	read    bool         // to its end, once
}

// header is one that is an attribute.
type header struct{ name, attribute string }

// maxAttribute bounds a header's value as an attribute.
const maxAttribute = 1 << 10

// New reads what is in the folder of the state. sessions and routes are those of
// the recorder behind the door; provider is nil for the built-in ones.
func New(cfg Config, sessions *session.Extractor, routes *route.Templater, provider *flag.Provider, log *slog.Logger, reg prometheus.Registerer) (*Gateway, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	// So the folder is this user's, whoever makes a file in it.
	if err := os.MkdirAll(filepath.Dir(cfg.KillFile()), 0o700); err != nil {
		log.Error("the folder of the state cannot be made: a restart forgets what is known", "error", err)
	}
	g := &Gateway{cfg: cfg, sessions: sessions, routes: routes, pins: newPins(cfg.Rules), log: log, kill: NewKill(cfg, log)}
	if g.faced = cfg.Face.Patterns(); len(g.faced) > 0 {
		g.accepted = face.NewAccepted(cfg.Face.Remembered)
	}
	for _, name := range cfg.Headers {
		g.headers = append(g.headers, header{http.CanonicalHeaderKey(name), strings.ToLower(name)})
	}
	known, err := stage.Load(cfg.file("stages"))
	switch {
	case err != nil:
		log.Error("the last known stages cannot be read: everything goes to the baseline until Kafka says more", "error", err)
	case known != nil && known.Migration() != cfg.Migration:
		log.Error("the last known stages are those of another migration and are not used", "migration", known.Migration())
	default:
		g.state.Store(known)
	}
	if provider == nil {
		provider = g.builtIn()
	}
	if g.flags, err = flag.New(context.Background(), *provider, cfg.Migration); err != nil {
		return nil, err
	}
	if g.metrics, err = newMetrics(g, reg); err != nil {
		return nil, err
	}
	return g, nil
}

func (g *Gateway) builtIn() *flag.Provider {
	if g.cfg.FlagFile == "" {
		g.steps = true
		return &flag.Provider{FeatureProvider: flag.NewSteps(g.state.Load)}
	}
	g.file = flag.NewFile(g.cfg.FlagFile, g.cfg.file("flags.json"), g.cfg.Migration, g.log)
	return &flag.Provider{FeatureProvider: g.file}
}

// Run follows the files of the kill switch and the flags until ctx ends.
func (g *Gateway) Run(ctx context.Context) error {
	var group sync.WaitGroup
	group.Go(func() { g.kill.Run(ctx) })
	if g.file != nil {
		group.Go(func() { g.file.Run(ctx) })
	}
	group.Wait()
	return g.flags.Close(context.WithoutCancel(ctx))
}

// NewKill is the kill switch of the gateways that have this configuration.
func NewKill(cfg Config, log *slog.Logger) *kill.Switch {
	return kill.New(cfg.KillFile(), "everything goes to the baseline", log)
}

// Kill is the kill switch.
func (g *Gateway) Kill() *kill.Switch { return g.kill }

// TraceBy gives each request that comes from here on a span; it is called before
// the first.
func (g *Gateway) TraceBy(t *trace.Tracer) { g.tracer = t }

// State is how far the migration has come, as far as is known.
func (g *Gateway) State() *stage.State { return g.state.Load() }

// Step takes a step that the topic of the stages has, from its first on and in
// its order; those of other migrations do not matter. It is called by the
// goroutine that calls Current.
func (g *Gateway) Step(step *understudyv1.Stage) {
	if step.GetMigration() != g.cfg.Migration || stage.IsAct(step) {
		return
	}
	next, err := g.reading.Next(step)
	switch {
	case errors.Is(err, stage.ErrStep):
		g.metrics.odd.WithLabelValues("unknown").Inc()
		g.log.Error("a step of the migration is not understood: it sends everybody of its route to the baseline", "migration", g.cfg.Migration, "version", step.GetVersion(), "error", err)
	case err != nil:
		g.metrics.odd.WithLabelValues("stale").Inc()
		return
	}
	if g.reading = next; g.read {
		g.publish()
	}
}

// Current says that at a moment the topic had nothing more than what Step was
// given. Until the first such moment what was on disk holds, so that a start
// does not go through the history again.
func (g *Gateway) Current(at time.Time) {
	if !g.read {
		g.read = true
		switch known := g.state.Load(); {
		case g.reading == nil && known != nil:
			g.log.Error("Kafka has no step of the migration: the last known ones hold", "migration", g.cfg.Migration, "version", known.Version())
		case g.reading == nil:
			g.log.Warn("the migration is not known: everything goes to the baseline; understudy migration create makes it", "migration", g.cfg.Migration)
		default:
			if g.reading.Version() < known.Version() {
				g.log.Error("Kafka has fewer steps of the migration than were known: Kafka's hold", "migration", g.cfg.Migration, "known", known.Version(), "kafka", g.reading.Version())
			}
			g.publish()
		}
	}
	g.current.Store(at.UnixNano())
}

func (g *Gateway) publish() {
	g.state.Store(g.reading)
	for _, step := range g.reading.Steps() {
		if step.GetVersion() == g.reading.Version() {
			g.log.Info("stage", "migration", step.GetMigration(), "route", step.GetRoute(), "stage", stage.Describe(step), "who", step.GetWho(), "version", step.GetVersion())
		}
	}
	if err := stage.Save(g.cfg.file("stages"), g.reading); err != nil {
		g.metrics.unsaved.Inc()
		g.log.Error("the stages hold, but a restart without Kafka would not know them", "error", err)
	}
}

// Enter implements proxy.Door.
func (g *Gateway) Enter(q *wire.Request, remote string) *visit.Visit {
	return g.enter(string(q.Method), session.OfHead(q, remote))
}

// EnterHTTP implements proxy.Door.
func (g *Gateway) EnterHTTP(in *http.Request) *visit.Visit {
	return g.enter(in.Method, session.OfRequest(in))
}

func (g *Gateway) enter(method string, from session.Source) *visit.Visit {
	v := &visit.Visit{Session: g.sessions.Session(from), Side: understudyv1.Side_SIDE_BASELINE, Attempts: 1}
	if g.tracer != nil {
		v.Trace = g.tracer.Enter(from.Header(trace.Header))
	}
	name := g.decide(v, method, from)
	g.metrics.decisions.WithLabelValues(name, understudyv1.Label(v.Side), v.Decision).Inc()
	return v
}

// decide fills the visit in and returns the stage's name without its weight.
func (g *Gateway) decide(v *visit.Visit, method string, from session.Source) string {
	name := g.routes.Route(method, from.Target)
	v.Route = name
	step := g.state.Load().At(name)
	if v.Migration = g.cfg.Migration; step != nil {
		// Should another step come before the flag is asked, its request counts as
		// one of the step before: it is in no evidence for the new stage.
		v.Stage, v.Step = stage.Of(step).String(), step.GetVersion()
	}
	switch {
	case g.kill.On():
		v.Decision = decisionKilled
	case len(from.Header(message.ControlMark)) > 0:
		v.Decision = decisionControl
	case g.wasAccepted(v, from):
		v.Decision = decisionAccepted
	case step.GetRolledBack():
		v.Decision = flag.DecisionRolledBack
	case pinned(g.pins.baseline, v.Session, from):
		v.Decision = decisionRule
	case step.GetName() > understudyv1.Stage_NAME_OFF && pinned(g.pins.candidate, v.Session, from):
		v.Decision, v.Side = decisionRule, understudyv1.Side_SIDE_CANDIDATE
	default:
		attributes := map[string]any{flag.AttributeRoute: name, flag.AttributeMethod: method}
		for _, h := range g.headers {
			if values := from.Header(h.name); len(values) > 0 {
				attributes[h.attribute] = values[0][:min(len(values[0]), maxAttribute)]
			}
		}
		answer := g.flags.Ask(v.Session, attributes)
		v.Side, v.Decision = answer.Side, answer.Decision
		if !g.steps || answer.Stage != "" {
			v.Stage = answer.Stage // of the state by which it was decided: a step may have come
		}
	}
	if v.Decision != decisionControl && g.faced.Match(name) && len(from.Header("Upgrade")) == 0 {
		v.Faced = v.Side == understudyv1.Side_SIDE_CANDIDATE || message.HasToken(from.Header("Prefer"), "respond-async")
	}
	word, _, _ := strings.Cut(v.Stage, ":")
	if word != "" && !slices.Contains(stage.Names(), word) {
		word = "other" // a provider may call it anything
	}
	return word
}

// wasAccepted gives a request to the side that has accepted what it is about.
func (g *Gateway) wasAccepted(v *visit.Visit, from session.Source) bool {
	if g.accepted == nil {
		return false
	}
	side, ok := g.accepted.Side(v.Session, v.Route, from.Target, message.IdempotencyKeyOf(from.Header))
	if ok {
		v.Side = side
	}
	return ok
}

// Accepted remembers which side has accepted what; nil without a face.
func (g *Gateway) Accepted() *face.Accepted { return g.accepted }

// RolledBack says whether everything of a route goes to the baseline because it
// was rolled back or the kill switch is on.
func (g *Gateway) RolledBack(route string) bool {
	return g.kill.On() || g.state.Load().At(route).GetRolledBack()
}

// Unreached implements proxy.Door: the baseline serves what the candidate cannot
// be given.
func (g *Gateway) Unreached(v *visit.Visit) bool { return g.Fallback(v, face.DecisionUnreached) }

// Fallback implements face.Door: until the migration is complete, and there may be
// no baseline, it serves what the candidate does not.
func (g *Gateway) Fallback(v *visit.Visit, decision string) bool {
	if v.Stage == understudyv1.Label(understudyv1.Stage_NAME_COMPLETE) {
		g.metrics.refused.Inc()
		return false
	}
	v.Side, v.Decision = understudyv1.Side_SIDE_BASELINE, decision
	v.Attempts++
	g.metrics.retreats.Inc()
	return true
}
