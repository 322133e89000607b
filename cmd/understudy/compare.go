package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/stream"
)

type compareFlags struct {
	run, group, instance string
	follow               bool
	wait                 time.Duration
	failOn               failOn
	quiet                bool // of the verdicts, for a command that shows them itself
}

func (a *app) compareCommand() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use: "compare", Short: "Judge replays and write verdicts and differences to ClickHouse", Args: exactly(),
		Long: `   Kafka: replays, exchanges, tallies, runs
        │
        ▼
   outcome → rules → differences → noise → verdict
        │
        ▼
   ClickHouse, each replay once, whoever writes it and whenever this dies

Judges whatever the topics hold and ends when every run (or the one named by
--run) has ended and all of it is in ClickHouse; with --follow it goes on. A
run whose replayer was killed is judged as far as it came and not waited for.
Started before its replay, it waits for the run to begin: --wait 10m.
Several of these share the work. At the end it prints the verdicts of the runs
of which it has judged something.`,
		RunE: func(c *cobra.Command, _ []string) error {
			calmCollector(100, judgingMemory)
			if f.wait < 0 {
				return usagef("--wait: %s is negative", f.wait)
			}
			if c.Flags().Changed("run") && f.run == "" {
				return usagef("--run is empty; want the name of a run, or leave it out for all")
			}
			if f.failOn.given && (f.run == "" || f.follow) {
				return usagef("--fail-on is about a run that is judged to its end: it needs --run NAME, and no --follow")
			}
			return a.compare(c.Context(), f)
		},
	}
	a.kafkaFlags(c)
	a.clickhouseFlags(c)
	a.adminFlag(c)
	c.Flags().StringVar(&f.run, "run", "", "end when this run is judged")
	c.Flags().DurationVar(&f.wait, "wait", 10*time.Second, "how long to wait for the run to begin")
	c.Flags().BoolVar(&f.follow, "follow", false, "go on until interrupted")
	c.Flags().StringVar(&f.group, "group", "", "consumer group; default PREFIX.comparator")
	c.Flags().StringVar(&f.instance, "instance", "", "name of this process within the group: after a kill a restart under the same name goes on at once; two live processes must not share it")
	failOnFlag(c, &f.failOn)
	complete(c, "run", a.completeRunFlag)
	return c
}

func (a *app) compare(ctx context.Context, f compareFlags) error {
	limits, err := f.failOn.conditions()
	if err != nil {
		return err
	}
	if err := a.need("compare", "kafka", "kafka.producer", "clickhouse"); err != nil {
		return err
	}
	if err := a.requireTopics(ctx); err != nil {
		return err
	}
	conn, err := a.connectClickHouse(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	producer, err := a.newProducer(ctx, a.cfg.Kafka.Producer)
	if err != nil {
		return err
	}
	defer producer.Close()
	ad := newAdmin(a.cfg.AdminAccess, a.logs)
	ingest, judgement, err := a.newIngest(ctx, conn, producer, f.instance, false, ad)
	if err != nil {
		return err
	}
	if err := a.claimRuns(ctx, ingest, f.run); err != nil {
		return err
	}
	cc := stream.DefaultConsumerConfig()
	cc.Group, cc.Topics, cc.Instance = f.group, ingest.Topics(), f.instance
	cc.MaxRecords = judgeBatch // roll-ups are made for each batch
	if cc.Group == "" {
		cc.Group = a.cfg.Kafka.Prefix + ".comparator"
	}
	judged := &judgedCount{topic: a.names().Replays, runs: map[string]bool{}}
	consumer, err := stream.NewConsumer(a.cfg.Kafka.Config, cc, judged.handler(a.sayingTaken(ingest)), a.log, ad.registry)
	if err != nil {
		return err
	}
	judged.lag = consumer.Lag
	stopAdmin, err := ad.start(a.cfg.Admin, a.log)
	if err != nil {
		return err
	}
	defer stopAdmin()
	ad.serve()
	defer a.sayWhenStopped(ctx, "the batch under way to be in ClickHouse and its offset in Kafka")()
	stop := a.showJudging(judged)
	err = a.consume(ctx, consumer, f, cc, judged)
	stop()
	if err != nil || f.follow || ctx.Err() != nil {
		return err
	}
	taken := ingest.Taken()
	runs := slices.DeleteFunc(judged.names(), func(run string) bool { return slices.Contains(taken, run) })
	if f.run != "" {
		runs, taken = []string{f.run}, nil
	}
	if err := a.checkJudged(ctx, conn, f.run, runs, judgement); err != nil || f.quiet {
		return err
	}
	if err := a.sayVerdicts(ctx, conn, runs, limits); err != nil || len(taken) == 0 {
		return err
	}
	return usage(ingest.Claim(ctx, taken...))
}

// sayingTaken writes batches, and warns of each run that it leaves out because
// its name is taken.
func (a *app) sayingTaken(ingest *clickhouse.Ingest) stream.Handler {
	var said atomic.Int64
	return func(ctx context.Context, b stream.Batch) error {
		err := ingest.Handle(ctx, b)
		if taken := ingest.Taken(); said.Swap(int64(len(taken))) < int64(len(taken)) {
			a.log.Warn("runs are left out: the database has others of their names, of another Kafka cluster, prefix or life of the topics; understudy judge RUN --clickhouse host:port/database writes one into another database",
				"runs", strings.Join(taken[:min(len(taken), 5)], ", "), "all", len(taken))
		}
		return err
	}
}

// claimRuns claims the names of the runs that there are. The database may have
// others of their names, from another prefix or cluster: if that is so of the
// run that is asked for, nothing is judged.
func (a *app) claimRuns(ctx context.Context, ingest *clickhouse.Ingest, run string) error {
	runs, err := stream.Runs(ctx, a.cfg.Kafka.Config, a.names())
	if err != nil {
		return dependency(err)
	}
	var names []string
	for _, r := range runs {
		names = append(names, r.GetName())
	}
	err = ingest.Claim(ctx, names...)
	switch {
	case !errors.Is(err, clickhouse.ErrOrigin):
		return dependency(err)
	case slices.Contains(ingest.Taken(), run):
		return usage(ingest.Claim(ctx, run))
	}
	return nil
}

// consume runs the consumer until it is interrupted or everything is done.
func (a *app) consume(ctx context.Context, consumer *stream.Consumer, f compareFlags, cc stream.ConsumerConfig, judged *judgedCount) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return consumer.Run(groupCtx) })
	if !f.follow {
		group.Go(func() error {
			defer stop()
			return a.untilDone(groupCtx, f, cc, judged)
		})
	}
	return group.Wait()
}

// untilDone returns when the runs have ended and the group has handled what
// the topics held then.
func (a *app) untilDone(ctx context.Context, f compareFlags, cc stream.ConsumerConfig, judged *judgedCount) error {
	client, err := a.dialKafka(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	finish := stream.NewFinish(stream.GroupProgress{
		Config: a.cfg.Kafka.Config, Client: client, Group: cc.Group, Names: a.names(),
	}, cc.Topics, f.run, f.wait)
	said, dead := "", 0
	var away outage
	for {
		reached, waiting, err := finish.Reached(ctx)
		if gone := finish.Abandoned(); len(gone) > dead {
			dead = len(gone)
			fmt.Fprintf(a.errOut, "understudy: not waiting for %s: nothing heard of the replay for %s, so it was killed; understudy runs close%s NAME ends a run\n",
				strings.Join(gone, ", "), stream.AbandonedAfter, a.where("runs"))
		}
		if reached || ctx.Err() != nil {
			return nil // an error after all work is done does not matter
		}
		if errors.Is(err, stream.ErrNoRun) {
			return usagef("%w; --wait 10m waits longer for one to begin", err)
		}
		switch again := away.bear(err, time.Now()); {
		case again:
			waiting = "kafka, which does not answer"
		case err != nil:
			return dependency(err)
		}
		if waiting != said {
			said = waiting
			if judged.waitFor(waiting); !onTerminal(a.errOut) {
				a.log.Info("waiting for " + waiting)
			}
		}
		if !pause(ctx, 200*time.Millisecond) {
			return nil
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
