package recorder

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/seal"
	"understudy.dev/exchange/session"
	"understudy.dev/recorder/books"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Recorder makes exchanges from what passes through the handlers it wraps.
type Recorder struct {
	cfg      Config
	instance string
	sink     Sink
	refuser  Refuser // the sink, if it is one
	log      *slog.Logger
	metrics  *metrics
	sealer   *seal.Sealer
	sampler  *sampler // nil takes everything
	// mark and lowerMark name the field of requests that are not recorded because a
	// replay sends them; empty if there is none.
	mark, lowerMark string

	books    *books.Books
	excess   int64 // of the books, as it was last said
	panicked time.Time
	pending  chan *tapWriter
	inFlight atomic.Int64
	paused   atomic.Bool
}

// New makes a Recorder; nothing is written until Run.
func New(cfg Config, sink Sink, log *slog.Logger, reg prometheus.Registerer) (*Recorder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	keys, err := cfg.Keys()
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	sessions, err := session.New(cfg.Session, keys.Current())
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	routes, err := cfg.Templates()
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	now := time.Now()
	instance := cfg.instance(now)
	r := &Recorder{
		cfg: cfg, instance: instance, sink: sink, log: log,
		sealer: &seal.Sealer{
			Recorder: instance, StartUnixNano: now.UnixNano(), Source: sourceProxy, ServedBy: cfg.ServedBy,
			Sessions: sessions, Routes: routes, Redactor: redact.New(cfg.Redact, keys.Current(), keys[1:]...),
			IndexHeaders: seal.Indexed(cfg.IndexHeaders),
		},
		books: books.New(instance, now), pending: make(chan *tapWriter, cfg.QueueSize),
	}
	r.sampler = newSampler(cfg.Sample)
	r.mark, r.lowerMark = cfg.mark()
	r.books.Every(cfg.TallyInterval)
	r.refuser, _ = sink.(Refuser)
	if r.metrics, err = newMetrics(r, reg); err != nil {
		return nil, err
	}
	return r, nil
}

// Instance is the name that this recorder's exchanges and tallies carry.
func (r *Recorder) Instance() string { return r.instance }

// Sessions and Routes are those by which exchanges are sealed; a door before the
// recorder finds the same with them.
func (r *Recorder) Sessions() *session.Extractor { return r.sealer.Sessions }

// Routes gives requests their routes, see Sessions.
func (r *Recorder) Routes() *route.Templater { return r.sealer.Routes }

// IsClean says that an address, path and query of it, holds nothing that would be
// taken out of an exchange.
func (r *Recorder) IsClean(address string) bool {
	e := &understudyv1.Exchange{Request: &understudyv1.Request{Target: []byte(address)}}
	r.sealer.Redactor.Exchange(e)
	return string(e.GetRequest().GetTarget()) == address
}

// Books are the recorder's; who keeps them on disk or settles what was spooled
// needs them.
func (r *Recorder) Books() *books.Books { return r.books }

// Tally returns the counts at this moment.
func (r *Recorder) Tally() books.Tally { return r.books.Tally() }

// Pause is the kill switch: while it is on, requests pass, consume their
// sequence numbers, and are counted as dropped.
func (r *Recorder) Pause(on bool) { r.paused.Store(on) }
