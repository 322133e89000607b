package main

import (
	"context"
	"slices"
	"time"

	"understudy.dev/exchange/kill"
	"understudy.dev/gateway"
	"understudy.dev/gateway/acts"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// Times of what is done to a gateway on its way to Kafka.
const (
	actsEvery = 2 * time.Second
	actsTime  = 10 * time.Second
	actsLog   = 30 * time.Second
)

// noteAct puts what is done to the kill switch of a gateway into the folder of its
// state, from where a gateway of the folder brings it to Kafka.
func (a *app) noteAct(cfg gateway.Config) func(kill.Act) {
	book := acts.Open(cfg.Dir())
	return func(act kill.Act) {
		if err := book.Add(acts.OfKill(cfg.Migration, hostname(), act)); err != nil {
			a.log.Error("that the kill switch was turned stands in the log only", "error", err)
		}
	}
}

// sendActs brings what the book has to Kafka until ctx ends. What is not brought by
// then waits for the next gateway of the folder.
func (a *app) sendActs(ctx context.Context, book *acts.Book) {
	again := time.NewTicker(actsEvery)
	defer again.Stop()
	said := time.Time{}
	for {
		if err := a.sendPending(ctx, book); err != nil && ctx.Err() == nil && time.Since(said) >= actsLog {
			said = time.Now()
			a.log.Warn("what was done to the kill switch is in the folder of the state and not in Kafka yet", "error", err, "at_most_every", actsLog)
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

func (a *app) sendPending(ctx context.Context, book *acts.Book) error {
	pending, end, torn, err := book.Pending()
	if err != nil {
		return err
	}
	if torn > 0 {
		a.log.Error("lines in the file of acts cannot be read and are left out", "lines", torn)
	}
	if len(pending) > 0 {
		ctx, cancel := context.WithTimeout(ctx, actsTime)
		defer cancel()
		p, err := stream.OpenProducer(a.cfg.Kafka.Config, tallyProducer())
		if err != nil {
			return err
		}
		defer p.Abandon() // what is not acknowledged is written again
		for _, act := range pending {
			r, err := stream.StageRecord(a.names(), act)
			if err == nil {
				err = p.ProduceSync(ctx, r)
			}
			if err != nil {
				return err
			}
		}
	}
	if len(pending)+torn == 0 {
		return nil
	}
	return book.Sent(end)
}

// withActs are steps and acts in the order of their times; steps keep theirs.
func withActs(steps, done []*understudyv1.Stage) []*understudyv1.Stage {
	out := make([]*understudyv1.Stage, 0, len(steps)+len(done))
	for _, s := range steps {
		n, _ := slices.BinarySearchFunc(done, s.GetTimeUnixNano(), func(d *understudyv1.Stage, at int64) int {
			if d.GetTimeUnixNano() <= at {
				return -1
			}
			return 1
		})
		out = append(append(out, done[:n]...), s)
		done = done[n:]
	}
	return append(out, done...)
}
