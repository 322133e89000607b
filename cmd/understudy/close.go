package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func (a *app) runsCloseCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "close RUN", Short: "End a run whose replay was killed", Args: exactly("RUN"), ValidArgsFunction: a.completeRuns,
		Long: `Writes the state failed, "abandoned", for a run of whose replay nothing has been
heard for 30 s. Its replays stay where they are and are judged like any others;
a run that is still replayed is left alone (exit 1).`,
		RunE: func(c *cobra.Command, args []string) error { return a.closeRun(c.Context(), args[0]) },
	}
	a.kafkaFlags(c)
	return c
}

func (a *app) closeRun(ctx context.Context, name string) error {
	if err := a.need("kafka", "kafka.producer"); err != nil {
		return err
	}
	if err := a.requireTopics(ctx); err != nil {
		return err
	}
	producer, err := a.newProducer(ctx, a.cfg.Kafka.Producer)
	if err != nil {
		return err
	}
	defer producer.Close()
	run, err := stream.Abandon(ctx, a.cfg.Kafka.Config, a.names(), producer, name)
	switch {
	case errors.Is(err, stream.ErrNoRun):
		return usage(err)
	case errors.Is(err, stream.ErrRunEnded):
		fmt.Fprintf(a.out, "run %s has ended already: %s\n", name, understudyv1.Label(run.GetState()))
		return nil
	case errors.Is(err, stream.ErrRunLives):
		return fmt.Errorf("run %s: %w; end it where it runs, with Ctrl-C", name, err)
	case err != nil:
		return dependency(err)
	}
	printRun(a.out, run)
	return nil
}
