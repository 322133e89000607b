package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/session"
	"understudy.dev/recorder/importer"
	"understudy.dev/recorder/kafka"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

type importFlags struct {
	format, authority, scheme, name string
	redact                          bool
	interval                        time.Duration
	start                           string
	maxBad                          int
}

func (a *app) importCommand() *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use: "import --format FORMAT FILE…", Short: "Write exchanges that others recorded into Kafka",
		Long: `Reads files (- is standard input; gzip and zstd are unpacked) and writes their
exchanges to Kafka, with the order and the arrival times of the recording.

  combined  Apache's and nginx's combined log: requests and statuses, no bodies
  nock      JSON fixtures of nock's recorder: requests and responses

A line that is not understood is named with its line number and counted; the
others are imported, and the exit code is 1.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("import needs at least one FILE (- is standard input); see %s --help", c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return a.importFiles(c.Context(), f, args) },
	}
	a.kafkaFlags(c)
	c.Flags().StringVar(&f.format, "format", "", "combined or nock")
	c.Flags().StringVar(&f.name, "instance", "", "recorder name of the exchanges; default import-FILE of the first file. The same name gives the same exchange ids")
	c.Flags().StringVar(&f.authority, "authority", "", "host where the format does not say it")
	c.Flags().StringVar(&f.scheme, "scheme", "http", "scheme where the format does not say it")
	a.indexFlag(c)
	a.keyFlag(c)
	c.Flags().BoolVar(&f.redact, "redact", true, "replace secrets by tokens")
	c.Flags().DurationVar(&f.interval, "interval", time.Second, "time between entries that carry no arrival time")
	c.Flags().StringVar(&f.start, "start", "", "arrival of the first such entry, RFC 3339; default 1970")
	c.Flags().IntVar(&f.maxBad, "show-bad", 20, "how many entries that are not understood are named")
	return c
}

func (a *app) importOptions(f importFlags, files []string) (importer.Format, importer.Options, error) {
	var o importer.Options
	if f.format == "" {
		return nil, o, usagef("import needs --format combined or --format nock")
	}
	format, err := importer.ByName(f.format)
	if err != nil {
		return nil, o, usagef("%w", err)
	}
	if f.start != "" {
		if o.Start, err = time.Parse(time.RFC3339Nano, f.start); err != nil {
			return nil, o, usagef("--start %q: want a time like 2026-11-24T10:00:00Z", f.start)
		}
	}
	if err := a.need("record", "kafka", "kafka.producer"); err != nil {
		return nil, o, err
	}
	a.ownKey()
	keys, err := a.cfg.Record.Keys()
	if err != nil {
		return nil, o, usagef("%w", err)
	}
	routes, errRoutes := a.cfg.Record.Templates()
	sessions, errSessions := session.New(a.cfg.Record.Session, keys.Current())
	if err := errors.Join(errRoutes, errSessions); err != nil {
		return nil, o, usagef("%w", err)
	}
	o.Recorder, o.Routes, o.Sessions, o.IndexHeaders = f.name, routes, sessions, a.cfg.Record.IndexHeaders
	o.Authority, o.Scheme, o.Interval, o.CaptureLimit = f.authority, f.scheme, f.interval, a.cfg.Record.CaptureLimit
	o.CaptureLimits = a.cfg.Record.CaptureLimits
	if o.Recorder == "" {
		o.Recorder = "import-" + filepath.Base(files[0])
	}
	if f.redact {
		o.Redactor = redact.New(a.cfg.Record.Redact, keys.Current(), keys[1:]...)
	}
	return format, o, nil
}

func (a *app) importFiles(ctx context.Context, f importFlags, files []string) error {
	format, o, err := a.importOptions(f, files)
	if err != nil {
		return err
	}
	if err := a.requireTopics(ctx, a.recordedTopics()...); err != nil {
		return err
	}
	producer, err := a.newProducer(ctx, a.cfg.Kafka.Producer)
	if err != nil {
		return err
	}
	defer producer.Close()
	w := kafka.NewWriter(producer, a.names(), o.Recorder)
	var bad uint64
	var readErr error
	for _, name := range files {
		summary, err := a.importFile(ctx, format, o, f, name, w)
		bad += summary.Bad
		o.Sequence = summary.Sequence
		if err == nil || summary != (importer.Summary{}) { // else it was not even opened
			fmt.Fprintf(a.out, "%s: %s\n", name, summary)
		}
		if err != nil {
			readErr = fmt.Errorf("%s: %w", name, err)
			break
		}
	}
	err = errors.Join(readErr, w.Finish(ctx))
	switch {
	case errors.Is(err, kafka.ErrWrite):
		return dependency(err)
	case err != nil:
		return err
	case bad > 0:
		return fmt.Errorf("%d entries were not understood; the others are imported", bad)
	}
	return nil
}

func (a *app) importFile(ctx context.Context, format importer.Format, o importer.Options, f importFlags, name string, w *kafka.Writer) (importer.Summary, error) {
	var in io.Reader = a.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return importer.Summary{}, err
		}
		defer file.Close()
		in = file
	}
	unpacked, err := importer.Open(in)
	if err != nil {
		return importer.Summary{}, err
	}
	defer unpacked.Close()
	shown := 0
	o.Bad = func(m importer.Mistake) {
		if shown++; shown <= f.maxBad {
			fmt.Fprintf(a.errOut, "%s: %v\n", name, m)
		}
	}
	summary, err := format(ctx, unpacked, o, func(e *understudyv1.Exchange) error { return w.Write(ctx, e) })
	if hidden := shown - f.maxBad; hidden > 0 {
		fmt.Fprintf(a.errOut, "%s: and %d more\n", name, hidden)
	}
	return summary, err
}
