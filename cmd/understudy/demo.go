package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"understudy.dev/comparator/report/text"
	"understudy.dev/demo"
	"understudy.dev/embedded"
	"understudy.dev/setting/source"
)

type demoFlags struct {
	keep   bool
	output string
}

func (a *app) demoCommand() *cobra.Command {
	f := demoFlags{output: text.Table}
	c := &cobra.Command{
		Use: "demo", Short: "Run the main job end to end on two small systems", Args: noCommand,
		Long: `Starts the embedded platform, a synchronous order service and its asynchronous
successor, in which faults are planted; drives users through the recorder,
replays them at twice the speed, compares, and prints the faults that were
found beside those that were planted. Exit code 3 if one was missed, harmless
noise was reported or the books do not balance.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.output != text.Table && f.output != text.JSON {
				return usagef("-o %q: want table or json", f.output)
			}
			a.demoPlatform(c, f.keep)
			return a.demo(c.Context(), f)
		},
	}
	a.platformFlags(c)
	c.Flags().BoolVar(&f.keep, "keep", false, "leave everything running afterwards, until interrupted")
	c.Flags().StringVarP(&f.output, "output", "o", f.output, "table or json")
	enumerate(c, "output", text.Table, text.JSON)
	c.AddCommand(a.demoSystemCommand("baseline"), a.demoSystemCommand("candidate"), a.demoTrafficCommand(), a.demoMigrationCommand())
	return c
}

// demoRun names the run of the demo; its data folder is its own.
const demoRun = "demo"

// demoPlatform keeps the demo out of the way of a platform that may be running:
// unless it is to be kept, where the other commands must find it, it takes any
// free ports, and a folder that is removed afterwards.
func (a *app) demoPlatform(c *cobra.Command, keep bool) {
	d, usual := &a.cfg.Dev, embedded.DefaultConfig()
	for value, address := range map[*string]string{&d.Kafka: usual.Kafka, &d.HTTP: usual.HTTP, &d.Native: usual.Native} {
		if !keep && *value == address {
			*value = "127.0.0.1:0"
		}
	}
	if d.DataDir == usual.DataDir {
		d.DataDir = ""
	}
	if !c.Flags().Changed("log-level") {
		a.log = slog.New(slog.NewTextHandler(a.logs, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
}

func (a *app) demo(ctx context.Context, f demoFlags) error {
	if err := usage(source.Read(demo.Settings, "demo.yaml", &a.cfg, a.origins)); err != nil {
		return err
	}
	if a.cfg.Dev.DataDir == "" {
		dir, err := os.MkdirTemp("", "understudy-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		a.cfg.Dev.DataDir = dir
	}
	platform, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	p, wait, err := a.startPlatform(platform)
	if err != nil {
		return err
	}
	d := &demonstration{a: a, say: a.errOut}
	if err := d.run(ctx, platform); err != nil {
		stop()
		return errors.Join(err, wait())
	}
	err = d.show(ctx, f)
	if f.keep && ctx.Err() == nil {
		fmt.Fprintf(a.errOut, "\neverything is still running: kafka %s, clickhouse %s, http://%s; Ctrl-C ends it\n", p.At().Kafka, p.At().Native, p.At().HTTP)
		<-ctx.Done()
	}
	stop()
	return errors.Join(err, wait())
}
