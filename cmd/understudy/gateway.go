package main

import (
	"context"
	"net/http"
	"os"
	"os/user"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"understudy.dev/exchange/trace"
	"understudy.dev/exchange/visit"
	"understudy.dev/gateway"
	"understudy.dev/gateway/acts"
	"understudy.dev/gateway/proxy"
	"understudy.dev/gateway/stage"
	"understudy.dev/recorder"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func (a *app) gatewayCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "gateway --baseline URL --candidate URL --migration NAME", Short: "Put baseline and candidate behind one address, and record", Args: exactly(),
		Long: `                              ┌──► baseline
   client ──► door ──► recorder ──┤
                │         │       └──► candidate
                │         └──► Kafka: exchanges, tallies
                └── stages: Kafka, a file of flags, the kill switch

Each request goes to one side, by the stage of its migration and route and by
its session. What is not known goes to the baseline: without Kafka the last
known stages hold. The kill switch, a file, sends everybody to the baseline.
It records as understudy record does.`,
		RunE: func(c *cobra.Command, _ []string) error {
			calmCollector(400, 512<<20)
			if a.cfg.Record.Upstream.URL == "" || a.cfg.Gateway.Candidate.URL == "" || a.cfg.Gateway.Migration == "" || a.cfg.Gateway.StateDir == "" {
				return usagef("gateway needs --baseline http://host:port, --candidate http://host:port, --migration NAME and --state-dir DIR")
			}
			if err := a.need("gateway.candidate", "gateway"); err != nil {
				return err
			}
			return a.record(c.Context(), true)
		},
	}
	a.recordFlags(c)
	f, g := c.Flags(), &a.cfg.Gateway
	f.StringVar(&g.Candidate.URL, "candidate", g.Candidate.URL, "URL of the candidate")
	f.StringVar(&g.FlagFile, "flag-file", g.FlagFile, "flags in flagd's JSON format that say who serves a request; empty asks the steps of the migration")
	a.gatewayPlace(c)
	c.AddCommand(a.gatewayKillCommand())
	return c
}

// gatewayPlace adds which gateway it is.
func (a *app) gatewayPlace(c *cobra.Command) {
	f, g := c.Flags(), &a.cfg.Gateway
	f.StringVar(&g.Migration, "migration", g.Migration, "name of the migration")
	f.StringVar(&g.StateDir, "state-dir", g.StateDir, "folder of what outlives a restart: stages, flags, kill switch")
}

func (a *app) gatewayKillCommand() *cobra.Command {
	reason := ""
	c := &cobra.Command{
		Use: "kill on|off", Short: "Send everybody to the baseline, or end that", Args: exactly("on|off"),
		Long: `Makes or removes the file of the kill switch, which gateways of this folder see
within 100 ms. Nothing else needs to work: no Kafka, no gateway.`,
		ValidArgs: []string{"on", "off"},
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkTurn(args[0]); err != nil {
				return err
			}
			if a.cfg.Gateway.Migration == "" || a.cfg.Gateway.StateDir == "" || reason == "" {
				return usagef("gateway kill needs --migration NAME, --state-dir DIR and --reason TEXT")
			}
			if err := usage(stage.CheckMigration(a.cfg.Gateway.Migration)); err != nil {
				return err
			}
			s := gateway.NewKill(a.cfg.Gateway, a.log)
			s.OnAct(a.noteAct(a.cfg.Gateway))
			return a.turn(s, args[0], reason)
		},
	}
	a.gatewayPlace(c)
	c.Flags().StringVar(&reason, "reason", reason, "why")
	return c
}

// who is the user, for people who read what was done.
func who() string {
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return name + "@" + hostname()
}

func hostname() string {
	if h, err := os.Hostname(); err == nil {
		return h
	}
	return "somewhere"
}

// ofSide labels the metrics of one of two upstreams.
func ofSide(reg prometheus.Registerer, side understudyv1.Side, gated bool) prometheus.Registerer {
	if !gated {
		return reg
	}
	return prometheus.WrapRegistererWith(prometheus.Labels{"side": understudyv1.Label(side)}, reg)
}

// sides is what a gateway adds to a recorder. Its methods do nothing for the nil
// sides of one that has only a baseline.
type sides struct {
	gate      *gateway.Gateway
	candidate *proxy.Upstream
	wire      bool
	face      *openFace // nil: no route has one
	tracer    *trace.Tracer
	current   chan struct{} // closed when the steps are all that Kafka has
}

// stagesWait is how long a gateway that begins asks its load balancer to wait, at
// most, for the steps that Kafka has: what it knew when it ended may be a stage that
// everybody was rolled back from since.
const stagesWait = 5 * time.Second

// known returns when the steps are known, or were waited for.
func (s *sides) known(ctx context.Context) {
	if s == nil {
		return
	}
	limit := time.NewTimer(stagesWait)
	defer limit.Stop()
	select {
	case <-s.current:
	case <-limit.C:
	case <-ctx.Done():
	}
}

func (a *app) openSides(ctx context.Context, rec *recorder.Recorder, baseline *proxy.Upstream, ad *admin) (*sides, error) {
	cfg := a.cfg.Gateway
	up, err := proxy.NewUpstream(cfg.Candidate, a.log, ofSide(ad.registry, understudyv1.Side_SIDE_CANDIDATE, true))
	if err != nil {
		return nil, usagef("%w", err)
	}
	gate, err := gateway.New(cfg, rec.Sessions(), rec.Routes(), nil, a.log, ad.registry)
	if err != nil {
		return nil, usagef("%w", err)
	}
	tracer, err := a.openTracer(rec.Instance(), ad)
	if err != nil {
		return nil, err
	}
	gate.TraceBy(tracer)
	gate.Kill().OnAct(a.noteAct(cfg))
	ad.also["/gateway/kill"] = gate.Kill().Handler
	a.log.Info("gateway", "migration", cfg.Migration, "candidate", cfg.Candidate.URL, "stage", stage.Describe(gate.State().At("")), "killed", gate.Kill().On())
	s := &sides{current: make(chan struct{}), gate: gate, candidate: up, tracer: tracer, wire: cfg.Candidate.OnWire()}
	if len(cfg.Face.Routes) > 0 {
		s.face, err = a.openFace(ctx, gate, baseline, up, rec, ad)
	}
	return s, err
}

// start begins what must be there before the first request.
func (s *sides) start(ctx context.Context) (stop func(), err error) {
	if s.face == nil {
		return func() {}, nil
	}
	return s.face.start(ctx)
}

// export sends spans until stop, which is to be called when nothing is served any
// more.
func (s *sides) export(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	group.Go(func() { s.tracer.Run(ctx) })
	return func() { cancel(); group.Wait() }
}

// stagesLog is how often a gateway says that it cannot read the stages.
const stagesLog = 30 * time.Second

// run follows stages, flags and the kill switch until ctx ends.
func (s *sides) run(ctx context.Context, a *app) {
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { _ = s.gate.Run(ctx) })
	group.Go(func() { killBySignal(ctx, s.gate.Kill()) })
	group.Go(func() { a.sendActs(ctx, acts.Open(a.cfg.Gateway.Dir())) })
	said := time.Time{}
	first := sync.OnceFunc(func() { close(s.current) })
	err := stream.FollowStages(ctx, a.cfg.Kafka.Config, a.names(), stream.StageFollower{
		Step: s.gate.Step, Current: func(at time.Time) { s.gate.Current(at); first() },
		Problem: func(err error) {
			if time.Since(said) >= stagesLog {
				said = time.Now()
				a.log.Error("the stages cannot be read: what was known last holds, and the kill switch works", "error", err, "at_most_every", stagesLog)
			}
		},
	})
	if err != nil {
		a.log.Error("the stages are not followed: what was known last holds, and the kill switch works", "error", err)
	}
}

// door goes before the recorder.
func (s *sides) door(next http.Handler) http.Handler {
	if s == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := s.gate.EnterHTTP(r)
		r = r.WithContext(visit.With(r.Context(), v))
		if v.Trace == nil {
			next.ServeHTTP(w, r)
			return
		}
		out := &answering{ResponseWriter: w}
		failure := &understudyv1.TransportError{Kind: understudyv1.TransportError_KIND_RESET} // unless the handler returns
		defer func() { v.End(out.status, failure) }()
		next.ServeHTTP(out, r)
		failure = nil
	})
}

// answering knows the status of an answer.
type answering struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (a *answering) WriteHeader(status int) {
	if a.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answering) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap gives http.ResponseController the writer underneath.
func (a *answering) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// choose goes behind it.
func (s *sides) choose(next http.Handler) http.Handler {
	if up, ok := next.(*proxy.Upstream); ok && s != nil {
		choice := &proxy.Choice{Baseline: up, Candidate: s.candidate, Door: s.gate}
		if s.face != nil {
			choice.Face = s.face.face
		}
		return choice
	}
	return next
}

// onWire reports whether the candidate can be spoken to without net/http.
func (s *sides) onWire() bool { return s == nil || s.wire }

func (s *sides) serving(serving proxy.Serving) proxy.Serving {
	if s != nil {
		serving.Door, serving.Candidate = s.gate, s.candidate
		if s.face != nil {
			serving.Face = s.face.inside
		}
	}
	return serving
}
