package replayer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"understudy.dev/exchange/target"
	"understudy.dev/replayer/rewrite"
	"understudy.dev/replayer/schedule"
	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Preview is what a run would do, as far as it does not depend on the candidate's
// answers.
type Preview struct {
	// First are the exchanges that are selected first.
	First []Planned `json:"first"`
	// Selected = Sent + Failing + Σ Skipped.
	Selected uint64            `json:"selected"`
	Sent     uint64            `json:"sent"`
	Failing  uint64            `json:"failing"` // a rule of rewrite fails on them
	Skipped  map[string]uint64 `json:"skipped"`
	// Of Sent: those that wait for names of the candidate's answers, that rules
	// change, and that hold tokens in the place of secrets.
	Awaiting  uint64 `json:"awaiting"`
	Rewritten uint64 `json:"rewritten"`
	Redacted  uint64 `json:"redacted"`
	// Unselected are left out by reason; Late and Spread as in the record of a run.
	Unselected map[string]uint64 `json:"unselected"`
	Late       uint64            `json:"late"`
	Spread     uint64            `json:"spread"`
	// Begin is the start of the first exchange, LengthNS how long the last one is due
	// after the first.
	Begin    time.Time `json:"begin"`
	LengthNS int64     `json:"length_ns"`
}

// Planned is what a run would do with one exchange.
type Planned struct {
	Ordinal uint64 `json:"ordinal"`
	// AtNS is when it is due after the first.
	AtNS     int64  `json:"at_ns"`
	Exchange string `json:"exchange_id"`
	Session  string `json:"session"`
	Route    string `json:"route"`
	Method   string `json:"method"`
	Host     string `json:"host"`
	// Target is the recorded one as rules have changed it: the candidate's own names
	// come with its answers.
	Target string `json:"target"`
	// Skipped is why it is not sent, Detail more of it, Failed why a rule fails on it.
	Skipped string `json:"skipped,omitempty"`
	Detail  string `json:"detail,omitempty"`
	Failed  string `json:"failed,omitempty"`
	// Awaits are the ordinals of those whose answers it needs names of.
	Awaits []uint64 `json:"awaits,omitempty"`
	// Rewritten are the places that rules change, Without the fields that are left out
	// because redaction took their values and nobody gave others, and Redacted says
	// that target or body hold tokens in the place of secrets.
	Rewritten []string `json:"rewritten,omitempty"`
	Without   []string `json:"without,omitempty"`
	Redacted  bool     `json:"redacted,omitempty"`
}

// preview makes one.
type preview struct {
	*Replayer
	out      *Preview
	first    int
	ordinals map[string]uint64 // of those in First
}

// Preview goes over what a run of the configuration would read from source, sends
// nothing and writes nothing. first is of how many exchanges it says what would be
// done with them.
func (cfg Config) Preview(ctx context.Context, source Source, first int) (*Preview, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	direct, err := target.NewDirect(cfg.client())
	if err != nil {
		return nil, err
	}
	defer direct.Close()
	p := &preview{first: first, ordinals: map[string]uint64{}, out: &Preview{First: []Planned{}, Skipped: map[string]uint64{}}}
	r := &Replayer{
		cfg: cfg, source: source, host: direct.Base().Hostname(), books: newBooks(nil, cfg.Run, time.Now(), nil),
		to: recipient{run: cfg.Run, base: direct.Base, headers: cfg.Headers, recordedHost: cfg.PreserveHost, mark: cfg.mark()},
	}
	p.Replayer = r
	if r.selector, err = newSelector(cfg.Select, cfg.Chosen); err != nil {
		return nil, err
	}
	if r.rules, err = rewrite.New(cfg.Rewrite); err != nil {
		return nil, err
	}
	if !cfg.OntoBaseline {
		addresses, _ := target.Check(ctx, cfg.Candidate, nil)
		r.baseline = newBaseline(cfg.Candidate, addresses)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.failing.stop = stop
	r.clock = newClock(ctx, nil)
	if err := p.read(ctx); err != nil {
		return nil, err
	}
	return p.out, nil
}

// read goes over everything.
func (p *preview) read(ctx context.Context) error {
	if p.cfg.Max || p.cfg.Waits() {
		p.cfg.Loop = max(p.cfg.Loop, 1) // how many there are the candidate decides
	}
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	ahead := readFrom(reading, p.laps, p.register)
	var begin time.Time
	var plan *schedule.Plan
	isOver := false
	for e := range ahead.exchanges {
		ahead.used(e)
		if isOver {
			continue
		}
		if plan == nil {
			plan = p.plan(ctx, e.start)
			begin = plan.At(e.start)
			p.out.Begin = e.start.UTC()
			p.take(e, 0)
			continue
		}
		at := plan.At(e.start).Sub(begin)
		if isOver = p.cfg.For > 0 && plan.Elapsed() >= p.cfg.For; isOver {
			stopReading()
			continue
		}
		p.out.LengthNS = max(p.out.LengthNS, int64(at))
		p.take(e, at)
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	p.out.Unselected = maps.Clone(p.books.run.Unselected)
	maps.Copy(p.out.Unselected, p.source.Unselected())
	p.out.Late, p.out.Spread = p.source.Late(), p.books.run.GetSpread()
	if isOver {
		return nil
	}
	return ahead.err
}

// take says what would be done with one exchange.
func (p *preview) take(e recorded, at time.Duration) {
	q := e.GetRequest()
	x := Planned{
		Ordinal: e.ordinal, AtNS: int64(at), Exchange: e.GetId(), Session: e.GetSession(), Route: e.GetRoute(), Method: q.GetMethod(), Target: string(q.GetTarget()),
	}
	if x.Skipped = p.sendable(e.Exchange); x.Skipped == "" {
		p.build(e, &x)
	}
	p.out.Selected++
	switch {
	case x.Skipped != "":
		p.out.Skipped[x.Skipped]++
		e.known.Settle() // who needs what it made is not sent either
	case x.Failed != "":
		p.out.Failing++
		e.known.Settle()
	default:
		p.out.Sent++
		p.count(x)
	}
	if len(p.out.First) < p.first {
		p.ordinals[(copyOf{e.lap, e.clone}).name(e.GetId())] = e.ordinal
		p.out.First = append(p.out.First, x)
	}
}

func (p *preview) count(x Planned) {
	if x.Awaits != nil {
		p.out.Awaiting++
	}
	if len(x.Rewritten) > 0 {
		p.out.Rewritten++
	}
	if x.Redacted {
		p.out.Redacted++
	}
}

// build makes the request as far as it can be made without the candidate.
func (p *preview) build(e recorded, x *Planned) {
	var names *substitute.Request
	copied := copyOf{e.lap, e.clone}
	if needed := e.known.Awaits(); len(needed) > 0 {
		x.Awaits = []uint64{} // of exchanges that are not shown, at least
		for _, id := range needed {
			if n, is := p.ordinals[copied.name(id)]; is {
				x.Awaits = append(x.Awaits, n)
			}
		}
		slices.Sort(x.Awaits)
	} else if _, unresolved := e.known.Translate(func(known *substitute.Request) {
		p.to.build(e.Exchange, copied.name(e.GetId()), known)
	}); unresolved != nil {
		x.Skipped, x.Detail = skipUnresolved, unresolved.String()
		return
	}
	request, body := p.to.build(e.Exchange, copied.name(e.GetId()), names)
	replay := &understudyv1.Replay{Exchange: e.Exchange}
	body, err := p.rewrite(replay, request, body)
	x.Host, x.Target = request.Host, targetOf(request.URL, p.to.base())
	if err != nil {
		x.Failed = err.Error()
		return
	}
	for _, w := range replay.GetRewrites() {
		x.Rewritten = append(x.Rewritten, strings.TrimSpace(fmt.Sprintf("%s %s", w.GetPlace(), w.GetName())))
	}
	for name := range redactedFields(e.Exchange) {
		if _, has := request.Header[name]; !has && !leftOut(e.Exchange)[name] {
			x.Without = append(x.Without, name)
		}
	}
	slices.Sort(x.Without)
	x.Redacted = holdsTokens(e.Exchange, request, body)
}
