package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"understudy.dev/embedded"
	"understudy.dev/embedded/engine"
	"understudy.dev/stream"
)

func (a *app) devCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "dev", Short: "Run Kafka's protocol and the ClickHouse engine, for a laptop", Args: exactly(),
		Long: `Runs the embedded platform until it is interrupted: a broker that speaks
Kafka's protocol and the real ClickHouse engine behind its HTTP and native
protocols, with topics and tables in place. The other commands find it without
being told. The first start installs the engine (a download of 170 MB).`,
		RunE: func(c *cobra.Command, _ []string) error {
			p, wait, err := a.startPlatform(c.Context())
			if c.Context().Err() != nil && wait == nil {
				return nil // interrupted while it started
			}
			if err != nil {
				return err
			}
			at := p.At()
			fmt.Fprintf(a.out, "kafka       %s\nclickhouse  %s (native), http://%s\ndata        %s\nready; Ctrl-C stops it\n",
				at.Kafka, at.Native, at.HTTP, a.cfg.Dev.DataDir)
			defer a.sayWhenStopped(c.Context(), "statements under way, at most 5 s, and for the engine to write what it holds")()
			<-c.Context().Done()
			return wait()
		},
	}
	a.platformFlags(c)
	return c
}

func (a *app) platformFlags(c *cobra.Command) {
	d := &a.cfg.Dev
	c.Flags().StringVar(&d.DataDir, "data-dir", d.DataDir, "folder of all data")
	c.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "data" { // as it was called, and as scripts may still say
			name = "data-dir"
		}
		return pflag.NormalizedName(name)
	})
	c.Flags().StringVar(&d.Kafka, "kafka-listen", d.Kafka, "address of the broker")
	c.Flags().StringVar(&d.HTTP, "clickhouse-http-listen", d.HTTP, "address of ClickHouse's HTTP interface")
	c.Flags().StringVar(&d.Native, "clickhouse-native-listen", d.Native, "address of ClickHouse's native protocol")
	c.Flags().StringSliceVar(&d.AllowHosts, "allow-host", d.AllowHosts, "names under which ClickHouse's HTTP interface may be asked, beside localhost and addresses")
	c.Flags().Var(byteSize{&d.MaxMemory}, "max-memory", "memory bound of the ClickHouse engine")
}

// startPlatform starts the embedded platform with topics and tables in place,
// and points the configuration at it. It ends with ctx; wait tells how.
func (a *app) startPlatform(ctx context.Context) (p *embedded.Platform, wait func() error, err error) {
	if err := a.need("dev"); err != nil {
		return nil, nil, err
	}
	if _, ok := engine.Installed(engine.InstallConfig{CacheDir: a.cfg.Dev.CacheDir}); !ok {
		fmt.Fprintf(a.errOut, "installing the ClickHouse engine %s (once)\n", engine.Version)
	}
	progress := &downloadLine{w: a.errOut}
	p, err = embedded.New(a.cfg.Dev, a.log, progress.update)
	if err != nil {
		return nil, nil, usagef("%w", err)
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { defer stop(); ended <- p.Run(running) }()
	select {
	case err = <-ended:
		progress.stop()
		if err == nil {
			err = ctx.Err()
		}
		return nil, nil, dependency(err)
	case <-p.Ready():
	}
	progress.stop()
	a.cfg.Kafka.Brokers = []string{p.At().Kafka}
	a.cfg.ClickHouse.Address = p.At().Native
	if err := a.prepare(ctx); err != nil {
		stop()
		return nil, nil, errors.Join(err, <-ended)
	}
	return p, func() error { return <-ended }, nil
}

// prepare puts topics and tables in place.
func (a *app) prepare(ctx context.Context) error {
	client, err := a.dialKafka(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := stream.Apply(ctx, client, a.specs()); err != nil {
		return err
	}
	return a.migrate(ctx, false)
}

// downloadLine shows on a terminal how much of the engine has come.
type downloadLine struct {
	w     io.Writer
	last  time.Time
	wrote bool
}

const bar = "########################################"

func (d *downloadLine) update(done, total int64) {
	if _, terminal := terminalWidth(d.w); !terminal || time.Since(d.last) < 200*time.Millisecond && done != total {
		return
	}
	d.last, d.wrote = time.Now(), true
	if total <= 0 {
		fmt.Fprintf(d.w, "\r%d MB", done>>20)
		return
	}
	n := int64(len(bar)) * done / total
	fmt.Fprintf(d.w, "\r[%-*s] %3d%%  %d of %d MB", len(bar), bar[:n], 100*done/total, done>>20, total>>20)
}

func (d *downloadLine) stop() {
	if d.wrote {
		fmt.Fprintln(d.w)
	}
}
