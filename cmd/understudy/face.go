package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/exchange/file"
	"understudy.dev/gateway"
	"understudy.dev/gateway/face"
	"understudy.dev/gateway/flight"
	"understudy.dev/gateway/proxy"
	"understudy.dev/recorder"
	"understudy.dev/recorder/spool"
	"understudy.dev/replayer/kafka"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// openFace is the synchronous face of a gateway, with its ledger.
type openFace struct {
	a        *app
	gate     *gateway.Gateway
	face     *face.Face
	inside   *proxy.Inside
	ledger   *flight.Ledger
	name     string
	lock     io.Closer // of the name; nil if it could not be kept
	producer *stream.Producer
	topics   *kafka.Topics // nil: no route's completions come on Kafka
}

func (a *app) openFace(ctx context.Context, gate *gateway.Gateway, baseline, candidate *proxy.Upstream, rec *recorder.Recorder, ad *admin) (*openFace, error) {
	cfg := a.cfg.Gateway
	o := &openFace{a: a, gate: gate}
	var err error
	if o.name, o.lock, err = ledgerName(filepath.Join(cfg.StateDir, cfg.Migration)); err != nil {
		o.name = rand.Text()
		a.log.Error("the name of this gateway's ledger cannot be kept: no later life takes up what the candidate has not completed", "error", err)
	}
	pc := tallyProducer()
	pc.MaxRecords = 2 * cfg.Face.Waiting
	if o.producer, err = stream.OpenProducer(a.cfg.Kafka.Config, pc); err != nil {
		return nil, usagef("%w", err)
	}
	if o.ledger, err = flight.New(cfg.Migration, o.name, ledgerJournal{o.producer, a.names()}, ad.registry); err != nil {
		return nil, err
	}
	with := face.Surroundings{
		Baseline: baseline, Candidate: candidate, CandidateURL: cfg.Candidate.URL, Door: gate, Accepted: gate.Accepted(), Ledger: o.ledger,
		IsClean: rec.IsClean,
	}
	if cfg.Face.UsesTopics() {
		if o.topics, err = a.candidateTopics(ctx, cfg.Face.TopicBrokers); err != nil {
			return nil, err
		}
		with.Topics = o.topics
	}
	if o.face, err = face.New(cfg.Face, with, a.log, ad.registry); err != nil {
		return nil, usagef("gateway.face: %w", err)
	}
	o.inside, err = proxy.NewInside(o.face, a.log, prometheus.WrapRegistererWith(prometheus.Labels{"side": "face"}, ad.registry))
	return o, err
}

// ledgerName is the name of a ledger in all lives of its gateway. Of gateways that
// share a folder each takes the first name that no other has; lock gives it back.
func ledgerName(dir string) (name string, lock io.Closer, err error) {
	for i := 1; ; i++ {
		own := filepath.Join(dir, "ledger-"+strconv.Itoa(i))
		held, err := spool.Lock(own)
		if errors.Is(err, spool.ErrLocked) {
			continue
		}
		if err != nil {
			return "", nil, err
		}
		path := filepath.Join(own, "name")
		if b, err := os.ReadFile(path); err == nil && len(b) == len(rand.Text()) {
			return string(b), held, nil
		}
		name := rand.Text()
		if err := file.Write(path, []byte(name)); err != nil {
			held.Close()
			return "", nil, err
		}
		return name, held, nil
	}
}

// endOfFace is how much of the shutdown timeout is left for a face, behind the end of
// the traffic and of the recording; half of that is for the last words of its ledger.
func endOfFace(shutdown time.Duration) time.Duration { return min(4*time.Second, shutdown/4) }

// start begins to await, and to take up what an earlier life has left.
func (o *openFace) start(ctx context.Context) (stop func(), err error) {
	stopFace, err := o.face.Start(ctx)
	if err != nil {
		return nil, err
	}
	following, end := context.WithCancel(context.WithoutCancel(ctx))
	keeping, close := context.WithCancel(following)
	var group sync.WaitGroup
	group.Go(func() { o.ledger.Run(keeping, o.gate.RolledBack) })
	group.Go(func() { o.follow(keeping) })
	return func() {
		stopFace()
		close()
		group.Wait()
		end()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), endOfFace(o.a.cfg.Record.ShutdownTimeout)/2)
		defer cancel()
		if err := o.producer.Flush(last); err != nil {
			o.a.log.Error("Kafka has not taken the last words of the ledger: the next life knows what was written before", "error", err)
		}
		o.producer.Abandon()
		if o.lock != nil {
			o.lock.Close()
		}
		if o.topics != nil {
			o.topics.Close()
		}
	}, nil
}

// follow reads the topic of the ledgers: first what the earlier lives of this
// gateway have left, then what people say of single entries.
func (o *openFace) follow(ctx context.Context) {
	left, read := map[string]*understudyv1.InFlight{}, false
	mine := func(e *understudyv1.InFlight) bool {
		return e.GetMigration() == o.a.cfg.Gateway.Migration && e.GetGateway() == o.name
	}
	said := time.Time{}
	err := stream.FollowInFlight(ctx, o.a.cfg.Kafka.Config, o.a.names(), stream.InFlightFollower{
		Entry: func(e *understudyv1.InFlight) {
			switch {
			case !mine(e):
			case e.GetState() == understudyv1.InFlight_STATE_RESOLVED && read:
				o.ledger.Resolve(e)
			case !read && e.GetAcceptedUnixNano() < o.ledger.Start().UnixNano():
				left[e.GetId()] = e
			}
		},
		Ended: func(_, id string) { delete(left, id) },
		Tally: func(*understudyv1.InFlightTally) {},
		Current: func(time.Time) {
			if read {
				return
			}
			read = true
			for _, id := range slices.Sorted(maps.Keys(left)) {
				o.face.Adopt(left[id])
			}
			if len(left) > 0 {
				o.a.log.Info("taken up what an earlier life has left", "requests", len(left))
			}
			clear(left)
		},
		Problem: func(err error) {
			if time.Since(said) >= stagesLog {
				said = time.Now()
				o.a.log.Error("the ledger cannot be read: what was accepted is awaited, and what an earlier life has left is not", "error", err, "at_most_every", stagesLog)
			}
		},
	})
	if err != nil {
		o.a.log.Error("the ledger is not read", "error", err)
	}
}

// ledgerJournal writes a ledger to Kafka.
type ledgerJournal struct {
	producer *stream.Producer
	names    topic.Names
}

// Put implements flight.Journal.
func (j ledgerJournal) Put(e *understudyv1.InFlight, done func(error)) {
	r, err := stream.InFlightRecord(j.names, e)
	j.produce(r, err, done)
}

// Delete implements flight.Journal.
func (j ledgerJournal) Delete(migration, id string, done func(error)) {
	j.produce(stream.InFlightEnd(j.names, migration, id), nil, done)
}

// Tally implements flight.Journal.
func (j ledgerJournal) Tally(t *understudyv1.InFlightTally, done func(error)) {
	r, err := stream.InFlightTallyRecord(j.names, t)
	j.produce(r, err, done)
}

func (j ledgerJournal) produce(r *kgo.Record, err error, done func(error)) {
	if err != nil {
		done(err)
		return
	}
	j.producer.TryProduce(context.Background(), r, func(_ *kgo.Record, err error) { done(err) })
}

// candidateTopics are those of a candidate that answers on Kafka: at its brokers,
// or ours where it has none.
func (a *app) candidateTopics(ctx context.Context, brokers []string) (*kafka.Topics, error) {
	cluster := a.cfg.Kafka.Config
	if len(brokers) > 0 {
		cluster.Brokers = brokers
	}
	topics, err := kafka.NewTopics(ctx, cluster)
	return topics, dependency(err)
}
