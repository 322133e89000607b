package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"understudy.dev/stream"
)

func (a *app) topicsCommand() *cobra.Command {
	parent := &cobra.Command{Use: "topics", Short: "Look after the Kafka topics", Args: noCommand, RunE: help}
	apply := &cobra.Command{
		Use: "apply", Short: "Create missing topics and set the configuration of the others", Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error { return a.applyTopics(c.Context()) },
	}
	a.kafkaFlags(apply)
	apply.Flags().Int32Var(&a.cfg.Kafka.Partitions, "partitions", a.cfg.Kafka.Partitions, "partitions of the exchanges and replays topics when they are created")
	parent.AddCommand(apply)
	return parent
}

func (a *app) applyTopics(ctx context.Context) error {
	client, err := a.dialKafka(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	changes, err := stream.Apply(ctx, client, a.specs())
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, c := range changes {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Topic, c.What, c.Detail)
	}
	w.Flush()
	return err
}
