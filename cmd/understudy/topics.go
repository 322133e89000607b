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
	force := false
	apply := &cobra.Command{
		Use: "apply", Short: "Create missing topics and set the configuration of the others", Args: exactly(),
		Long: `Creates the topics that are missing, with replicas and min.insync.replicas, and
sets what is less in the others than wanted. What is more (a longer retention)
stays and is said, unless --force; partitions and replicas stay always.`,
		RunE: func(c *cobra.Command, _ []string) error { return a.applyTopics(c.Context(), force) },
	}
	a.kafkaFlags(apply)
	apply.Flags().Int32Var(&a.cfg.Kafka.Partitions, "partitions", a.cfg.Kafka.Partitions, "partitions of the exchanges and replays topics when they are created")
	apply.Flags().DurationVar(&a.cfg.Kafka.Retention, "retention", a.cfg.Kafka.Retention, "how long exchanges, replays, tallies and dead letters are kept")
	apply.Flags().Int16Var(&a.cfg.Kafka.Replicas, "replicas", a.cfg.Kafka.Replicas, "replicas of each partition when topics are created; 0 is three, or as many as there are brokers")
	apply.Flags().Int16Var(&a.cfg.Kafka.MinInSync, "min-insync", a.cfg.Kafka.MinInSync, "replicas that must have a record before it is acknowledged; 0 is one fewer than there are")
	apply.Flags().BoolVar(&force, "force", force, "also set what takes something away, such as a shorter retention")
	parent.AddCommand(apply)
	return parent
}

func (a *app) applyTopics(ctx context.Context, force bool) error {
	client, err := a.dialKafka(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	set := stream.Apply
	if force {
		set = stream.ApplyForced
	}
	changes, err := set(ctx, client, a.specs())
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, c := range changes {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Topic, c.What, c.Detail)
	}
	w.Flush()
	return err
}
