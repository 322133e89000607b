package replayer

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/target"
	"understudy.dev/exchange/timestamp"
	"understudy.dev/replayer/control"
	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Why the control gave no answer, beside the kinds of transport errors.
const (
	controlUnsafe      = skipUnsafe        // and the control is not isolated
	controlRedacted    = "redacted"        // the request is not whole without what redaction took
	controlUnresolved  = "unresolved"      // a name that it needs is not known there
	controlLate        = "late"            // it could not be sent soon after the candidate's
	controlInFlight    = "in_flight_limit" // too many unfinished
	controlCanceled    = "canceled"        // the run was interrupted
	controlUnsent      = "rewrite"         // the candidate's was not sent, because a rule failed on it
	controlInterrupted = skipInterrupted   // it gave one, but how the replay ends is not known
)

const (
	// maxApart is how long after the candidate's request the control's may be
	// sent: what happens in between would tell them apart.
	maxApart = time.Second
	// maxControls bounds those that are unfinished; so does a tenth of the
	// candidate's own bound, so that a control that hangs holds up no replay.
	maxControls = 256
)

// controls ask the baseline again for a share of the replays, beside the
// candidate and in its shadow: nothing of them is in the candidate's books.
type controls struct {
	cfg    control.Config
	sample *control.Sample
	to     recipient
	direct *target.Direct
	memory *substitute.Memory // nil where names are sent as recorded
	places chan struct{}
	books  *books
	log    *slog.Logger
	sent   prometheus.Counter
	missed *prometheus.CounterVec
	warn   sync.Once
	lack   sync.Once
}

// newControls makes those of a run, nil if it has none.
func newControls(cfg Config, b *books, log *slog.Logger, reg prometheus.Registerer) (*controls, error) {
	if !cfg.Control.On() {
		return nil, nil
	}
	places := min(maxControls, (cfg.InFlight+9)/10)
	direct, err := target.NewDirect(target.Config{
		URL: cfg.Control.URL, H2C: cfg.Control.H2C, Timeout: cfg.Timeout, CaptureLimit: cfg.CaptureLimit, Connections: places, Network: cfg.Network, Places: cfg.Allow,
		Engine: cfg.Engine, TLS: target.TLS{CAFile: cfg.TLS.CAFile},
	})
	if err != nil {
		return nil, err
	}
	c := &controls{
		cfg: cfg.Control, sample: control.NewSample(cfg.Control, cfg.Run), direct: direct, places: make(chan struct{}, places), books: b, log: log,
		to: recipient{
			run: cfg.Run, base: direct.Base, headers: cfg.Control.Headers, mark: message.ControlMark,
			recordedHost: !cfg.Control.Isolated || cfg.PreserveHost, bare: !cfg.Control.Isolated,
		},
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "understudy", Subsystem: "control", Name: "sent_total", Help: "Requests with which the baseline was asked again.",
		}),
		missed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "understudy", Subsystem: "control", Name: "missed_total", Help: "Replays of the control sample for which the baseline gave no answer, by reason.",
		}, []string{"reason"}),
	}
	if cfg.Control.Isolated && !cfg.KeepValues {
		c.memory = substitute.NewMemory(direct.Base().Hostname())
		c.memory.Redactor = cfg.Redactor
	}
	for _, m := range []prometheus.Collector{c.sent, c.missed} {
		if err := reg.Register(m); err != nil {
			return nil, fmt.Errorf("control metrics: %w", err)
		}
	}
	return c, nil
}

// register enters an exchange into the memory of the control's names.
func (c *controls) register(e *understudyv1.Exchange) *substitute.Exchange {
	if c == nil || c.memory == nil {
		return nil
	}
	return c.memory.Register(e)
}

// take says whether an exchange that is to be sent is in the control sample, and
// why the control is not asked about it all the same.
func (c *controls) take(e *understudyv1.Exchange) (taken bool, unasked string) {
	switch {
	case c == nil:
		return false, ""
	case !c.cfg.Asks(e):
		return c.sample.InShare(e), controlUnsafe
	}
	return c.sample.Take(e), ""
}

// asked is one request to the control.
type asked struct {
	done chan struct{}
	// What came of it may be read once done is closed; without an observation,
	// nothing.
	observation   *understudyv1.Observation
	sent          time.Time
	authority     string
	scheme        string
	substitutions []*understudyv1.Substitution
}

// ask begins to ask the control about a replay whose request was sent now. The
// replay itself is only read.
func (c *controls) ask(ctx context.Context, known *substitute.Exchange, replay *understudyv1.Replay, now time.Time) *asked {
	a := &asked{done: make(chan struct{})}
	select {
	case c.places <- struct{}{}:
	default:
		c.miss(controlInFlight)
		known.Settle()
		close(a.done)
		return a
	}
	e := replay.GetExchange()
	// The record is written to meanwhile; what a frame needs of it is not.
	in := &understudyv1.Replay{Exchange: e, Moments: replay.GetMoments(), Speed: replay.GetSpeed()}
	go func() {
		defer close(a.done)
		defer func() { <-c.places }()
		defer known.Settle()
		if reason := c.exchange(ctx, a, known, in, now); reason != "" {
			c.miss(reason)
		}
	}()
	return a
}

// exchange asks and says why there is no answer, "" if there is.
func (c *controls) exchange(ctx context.Context, a *asked, known *substitute.Exchange, in *understudyv1.Replay, now time.Time) string {
	e := in.GetExchange()
	if lacking := c.lacks(e); len(lacking) > 0 {
		c.lack.Do(func() {
			c.log.Warn("the control is not asked, because redaction took something from the request; --control-header \"NAME: value\" gives the control a header of its own, \"NAME:\" says that it needs none, and further ones are counted",
				"lacks", strings.Join(lacking, ", "))
		})
		return controlRedacted
	}
	_, unresolved := known.Wait(ctx, maxApart, now)
	defer known.Leave() // if it is not sent
	var q *http.Request
	var body []byte
	var request *substitute.Request
	if unresolved == nil {
		request, unresolved = known.Translate(func(names *substitute.Request) { q, body = c.to.build(e, e.GetId(), names) })
	}
	a.sent = time.Now()
	switch {
	case ctx.Err() != nil:
		return controlCanceled
	case unresolved != nil:
		return controlUnresolved
	case a.sent.Sub(now) > maxApart:
		return controlLate
	}
	c.sent.Inc()
	known.Leave()
	o := c.direct.Ask(ctx, q, body)
	switch {
	case o.GetAck() == nil && ctx.Err() != nil:
		return controlCanceled
	case o.GetAck() == nil:
		c.warn.Do(func() {
			c.log.Warn("the control does not answer; those replays are judged without it", "url", c.direct.Base().Redacted(), "error", o.GetError().GetMessage())
		})
		return understudyv1.Label(o.GetError().GetKind())
	}
	in.SentUnixNano = a.sent.UnixNano()
	known.Learn(nil, o.GetAck(), timestamp.FrameOf(in, time.Since(a.sent)))
	a.observation, a.authority, a.scheme = o, q.Host, q.URL.Scheme
	a.substitutions, _ = known.Record(request, o.GetAck())
	return ""
}

func (c *controls) miss(reason string) {
	c.books.uncontrolled(reason)
	c.missed.WithLabelValues(reason).Inc()
}

// lacks names what redaction took from a request that cannot be sent without it:
// a baseline that is asked without the credentials refuses, and that it does
// shows nothing. Another instance is in the candidate's place, which has its own
// credentials.
func (c *controls) lacks(e *understudyv1.Exchange) []string {
	if c.cfg.Isolated {
		return nil
	}
	given := func(field string) bool {
		for name := range c.cfg.Headers {
			if strings.EqualFold(name, field) {
				return true
			}
		}
		return false
	}
	var out []string
	add := func(what string) {
		if !slices.Contains(out, what) {
			out = append(out, what)
		}
	}
	for _, x := range e.GetRedactions() {
		switch x.GetPlace() {
		case understudyv1.Redaction_PLACE_REQUEST_HEADER:
			if !given(x.GetName()) {
				add("header " + x.GetName())
			}
		case understudyv1.Redaction_PLACE_REQUEST_TARGET:
			add("a value in the target")
		case understudyv1.Redaction_PLACE_REQUEST_BODY:
			add("a value in the body")
		}
	}
	return out
}

// answered waits until nothing more comes of it, and says whether the control
// has answered.
func (a *asked) answered() bool {
	if a == nil {
		return false
	}
	<-a.done
	return a.observation != nil
}

// into puts the control's answer, if there is one, into the replay.
func (a *asked) into(replay *understudyv1.Replay) {
	if !a.answered() {
		return
	}
	replay.Control, replay.ControlSentUnixNano = a.observation, a.sent.UnixNano()
	replay.ControlAuthority, replay.ControlScheme, replay.ControlSubstitutions = a.authority, a.scheme, a.substitutions
}
