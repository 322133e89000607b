package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"understudy.dev/gateway/proxy"
	"understudy.dev/recorder"
	"understudy.dev/recorder/kafka"
	"understudy.dev/setting/source"
	"understudy.dev/stream"
)

func (a *app) recordCommand() *cobra.Command {
	var keyFile string
	c := &cobra.Command{
		Use: "record --baseline URL", Short: "Proxy traffic to the baseline and write every exchange to Kafka", Args: exactly(),
		Long: `   client ──► recorder ──► gateway ──► baseline
                 │
                 └──► Kafka: exchanges, tallies

Live traffic never waits for Kafka, not at the start either: what cannot be
kept is dropped, counted with a reason, and leaves a hole in the sequence
numbers.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if keyFile != "" {
				key, err := os.ReadFile(keyFile)
				if err != nil {
					return usagef("--key-file: %w", err)
				}
				a.cfg.Record.Key = strings.TrimSpace(string(key))
				a.origins.Set("record.key", source.Origin{Kind: source.Flag, Name: "--key-file"})
			}
			calmCollector(400, 512<<20)
			return a.record(c.Context())
		},
	}
	a.kafkaFlags(c)
	a.adminFlag(c)
	r := &a.cfg.Record
	f := c.Flags()
	f.StringVar(&r.Listen, "listen", r.Listen, "address to take traffic on")
	f.StringVar(&r.Upstream.URL, "baseline", r.Upstream.URL, "URL of the baseline")
	f.StringVar(&r.Upstream.Host, "host", r.Upstream.Host, "Host header for the baseline: empty keeps the client's, \"upstream\" sends the baseline's own")
	f.StringVar(&r.Instance, "instance", r.Instance, "name of this recorder, unique for each start; empty makes one")
	f.Var(byteSize{&r.CaptureLimit}, "capture-limit", "bytes of a body that are kept")
	f.StringSliceVar(&r.Session, "session", r.Session, "where the session is found, in order: header:NAME, cookie:NAME, query:NAME, ip")
	f.StringSliceVar(&r.Routes, "route", r.Routes, "path templates that go before the automatic ones, e.g. \"/orders/{id}\"")
	f.StringVar(&r.Compression, "compression", r.Compression, "of the records: snappy, lz4, zstd or none")
	f.StringVar(&keyFile, "key-file", "", "file with the key of session and redaction tokens (16 bytes or more); without it tokens are equal within this process only")
	f.BoolVar(&r.RequireKafka, "require-kafka", r.RequireKafka, "do not start while Kafka or its topics are not there")
	a.indexFlag(c)
	enumerate(c, "compression", "snappy", "lz4", "zstd", "none")
	complete(c, "route", a.completeRoutes)
	return c
}

// indexFlag adds which request headers belong into the tables.
func (a *app) indexFlag(c *cobra.Command) {
	c.Flags().StringSliceVar(&a.cfg.Record.IndexHeaders, "index-header", a.cfg.Record.IndexHeaders,
		"request headers whose values are in the column headers of the table exchanges")
}

func (a *app) record(ctx context.Context) error {
	cfg := a.cfg.Record
	if cfg.Upstream.URL == "" {
		return usagef("record needs --baseline http://host:port")
	}
	if err := a.need("record", "record.upstream", "kafka", "kafka.producer"); err != nil {
		return err
	}
	if cfg.RequireKafka {
		if err := a.requireTopics(ctx); err != nil {
			return err
		}
	}
	pc := a.cfg.Kafka.Producer
	pc.Compression = cfg.Compression
	producer, err := stream.OpenProducer(a.cfg.Kafka.Config, pc)
	if err != nil {
		return usagef("%w", err)
	}
	defer producer.Close()
	ad := newAdmin(a.logs)
	upstream, err := proxy.NewUpstream(cfg.Upstream, a.log, ad.registry)
	if err != nil {
		return usagef("%w", err)
	}
	rec, err := recorder.New(cfg.Config, kafka.NewSink(producer, a.names()), a.log, ad.registry)
	if err != nil {
		return usagef("%w", err)
	}
	stopAdmin, err := ad.start(a.cfg.Admin, a.log)
	if err != nil {
		return err
	}
	defer stopAdmin()
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen for traffic: %w; choose another address with --listen", err)
	}
	a.log.Info("recording", "listen", ln.Addr().String(), "baseline", cfg.Upstream.URL, "instance", rec.Instance())
	ad.ready.Store(true)
	var watch sync.WaitGroup
	watching, stopWatch := context.WithCancel(ctx)
	defer watch.Wait()
	defer stopWatch()
	watch.Go(func() { a.watchKafka(watching, ad) })
	defer a.sayWhenStopped(ctx, fmt.Sprintf("requests under way, at most %s, then for Kafka to take what is recorded", drainTraffic))()
	err = serveTraffic(ctx, ln, rec, upstream, cfg.Upstream.OnWire(), newRefusals(ad.registry), a.log, func() { ad.ready.Store(false) })
	n := rec.Tally()
	dropped := uint64(0)
	for _, d := range n.Dropped {
		dropped += d
	}
	a.log.Info("recorded", "served", n.Served, "recorded", n.Recorded, "dropped", dropped, "reasons", n.Dropped, "pending", n.Pending)
	return a.unrecorded(rec, err)
}

// drainTraffic bounds how long requests under way are waited for at the end.
const drainTraffic = 20 * time.Second

// errDrained is why requests that outlast drainTraffic are cancelled.
var errDrained = errors.New("the recorder has stopped")

// serveTraffic answers until ctx ends, then lets requests under way finish,
// and only then stops the recorder, so that they are recorded too.
func serveTraffic(ctx context.Context, ln net.Listener, rec *recorder.Recorder, next *proxy.Upstream, onWire bool, refused *refusals, log *slog.Logger, draining func()) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	base, leave := context.WithCancelCause(context.WithoutCancel(ctx))
	defer leave(nil)
	over := &http.Server{BaseContext: func(net.Listener) context.Context { return base }, Handler: rec.Wrap(next), ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, Protocols: protocols,
		ErrorLog:                     slog.NewLogLogger(newLibraryLog(log), slog.LevelWarn),
		DisableGeneralOptionsHandler: true} // OPTIONS * is the baseline's to answer
	refused.watch(over)
	var server interface {
		Serve(l net.Listener) error
		Shutdown(ctx context.Context) error
		Close() error
	} = over
	if onWire {
		server = proxy.NewServer(next, proxy.Serving{HTTP2: over, Tap: rec.Tap(), Refused: refused.count.Inc})
	}
	recording, stopRecording := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRecording()
	var group errgroup.Group
	group.Go(func() error { return rec.Run(recording) })
	group.Go(func() error {
		defer stopRecording()
		<-ctx.Done()
		draining()
		grace, cancel := context.WithTimeout(context.Background(), drainTraffic)
		defer cancel()
		if server.Shutdown(grace) != nil {
			leave(errDrained)
			_ = server.Close()
		}
		return nil
	})
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return group.Wait()
}
