package main

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/spf13/cobra"

	"understudy.dev/gateway/listener"
	"understudy.dev/gateway/proxy"
	"understudy.dev/recorder"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
)

func (a *app) recordCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "record --baseline URL", Short: "Proxy traffic to the baseline and write every exchange to Kafka", Args: exactly(),
		Long: `   client ──► recorder ──► gateway ──► baseline
                 │
                 └──► Kafka: exchanges, tallies

Live traffic never waits for Kafka, not at the start either: what cannot be
kept is dropped, counted with a reason, and leaves a hole in the sequence
numbers.`,
		RunE: func(c *cobra.Command, _ []string) error {
			calmCollector(400, 512<<20)
			return a.record(c.Context(), false)
		},
	}
	a.recordFlags(c)
	return c
}

// recordFlags are those of whatever records.
func (a *app) recordFlags(c *cobra.Command) {
	a.kafkaFlags(c)
	a.adminFlag(c)
	r := &a.cfg.Record
	f := c.Flags()
	f.StringVar(&r.Listen, "listen", r.Listen, "address to take traffic on")
	f.StringVar(&r.Listener.TLS.CertFile, "tls-cert", r.Listener.TLS.CertFile, "file of the certificate with which it speaks TLS; empty is plain TCP")
	f.StringVar(&r.Listener.TLS.KeyFile, "tls-key", r.Listener.TLS.KeyFile, "file of the certificate's key")
	f.StringSliceVar(&r.Listener.ProxyProtocol, "proxy-protocol", r.Listener.ProxyProtocol, "addresses or networks of load balancers that begin connections with a header of the PROXY protocol")
	f.StringVar(&r.Upstream.URL, "baseline", r.Upstream.URL, "URL of the baseline")
	f.StringVar(&r.Upstream.Host, "host", r.Upstream.Host, "Host header for the baseline: empty keeps the client's, \"upstream\" sends the baseline's own")
	f.StringVar(&r.Instance, "instance", r.Instance, "name of this recorder, unique for each start; empty makes one")
	f.Var(byteSize{&r.CaptureLimit}, "capture-limit", "bytes of a body that are kept")
	f.StringSliceVar(&r.Session, "session", r.Session, "where the session is found, in order: header:NAME, cookie:NAME, query:NAME, ip")
	f.StringVar(&r.OpenAPI, "openapi", r.OpenAPI, "file that describes the API (OpenAPI, YAML or JSON), whose paths are templates too")
	f.StringSliceVar(&r.Routes, "route", r.Routes, "path templates that go before the automatic ones, e.g. \"/orders/{id}\"")
	f.StringVar(&r.Compression, "compression", r.Compression, "of the records: snappy, lz4, zstd or none")
	a.keyFlag(c)
	f.StringVar(&r.Spool.Dir, "spool-dir", r.Spool.Dir, "folder for exchanges that Kafka does not take now; empty is off")
	f.DurationVar(&r.ShutdownTimeout, "shutdown-timeout", r.ShutdownTimeout, "bound of the whole end, from the signal to the final tally")
	f.DurationVar(&r.DrainDelay, "drain-delay", r.DrainDelay, "how long new requests are taken after /readyz has said that it ends")
	f.BoolVar(&r.RequireKafka, "require-kafka", r.RequireKafka, "do not start while Kafka or its topics are not there")
	a.indexFlag(c)
	enumerate(c, "compression", "snappy", "lz4", "zstd", "none")
	complete(c, "route", a.completeTemplates)
}

// indexFlag adds which request headers belong into the tables.
func (a *app) indexFlag(c *cobra.Command) {
	c.Flags().StringSliceVar(&a.cfg.Record.IndexHeaders, "index-header", a.cfg.Record.IndexHeaders,
		"request headers whose values are in the column headers of the table exchanges")
}

// record serves and records traffic for the baseline, or as a gateway for both
// sides.
func (a *app) record(ctx context.Context, gated bool) error {
	a.ownKey()
	cfg := a.cfg.Record
	if cfg.Upstream.URL == "" {
		return usagef("record needs --baseline http://host:port")
	}
	if err := a.need("record", "record.upstream", "kafka", "kafka.producer"); err != nil {
		return err
	}
	if cfg.RequireKafka {
		if err := a.requireTopics(ctx, a.recordedTopics()...); err != nil {
			return err
		}
	}
	ad := newAdmin(a.cfg.AdminAccess, a.logs)
	upstream, err := proxy.NewUpstream(cfg.Upstream, a.log, ofSide(ad.registry, understudyv1.Side_SIDE_BASELINE, gated))
	if err != nil {
		return usagef("%w", err)
	}
	writing, err := a.openWriting(cfg)
	if err != nil {
		return err
	}
	defer writing.close()
	cfg.Baseline = originOf(cfg.Upstream.URL)
	rec, err := recorder.New(cfg.Config, writing.sink, a.log, ad.registry)
	if err != nil {
		return usagef("%w", err)
	}
	var sides *sides
	if !gated && a.cfg.Tracing.On() {
		a.log.Warn("a recorder alone does not trace: traceparent is passed on and recorded as it comes; a gateway traces", "tracing.endpoint", setting.Address(a.cfg.Tracing.Endpoint))
	}
	if gated {
		if sides, err = a.openSides(ctx, rec, upstream, ad); err != nil {
			return err
		}
	}
	if sides != nil && sides.face != nil {
		cfg.ShutdownTimeout -= endOfFace(cfg.ShutdownTimeout)
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
	if ln, err = listener.Wrap(ln, cfg.Listener, a.log, ad.registry); err != nil {
		return usagef("record.%w", err)
	}
	writing.begin(a, rec, ad)
	a.log.Info("recording", "listen", ln.Addr().String(), "baseline", cfg.Upstream.URL, "instance", rec.Instance())
	var watch sync.WaitGroup
	watching, stopWatch := context.WithCancel(ctx)
	defer watch.Wait()
	defer stopWatch()
	watch.Go(func() { a.watchKafka(watching, ad, writing.open.Load) })
	if sides != nil {
		stopSides, err := sides.start(ctx)
		if err != nil {
			return err
		}
		defer stopSides()
		defer sides.export(ctx)()
		watch.Go(func() { sides.run(watching, a) })
	}
	watch.Go(func() { sides.known(watching); ad.serve() })
	defer a.sayWhenStopped(ctx, fmt.Sprintf("requests under way, then for Kafka to take what is recorded, at most %s in all", cfg.ShutdownTimeout))()
	t := &liveTraffic{rec: rec, sides: sides, hop: newHop(ad.registry), cfg: cfg, watched: a.cfg.Admin != "", draining: ad.drain}
	err = t.serve(ctx, ln, upstream, newRefusals(ad.registry), a.log)
	n := rec.Tally()
	dropped := uint64(0)
	for _, d := range n.Dropped {
		dropped += d
	}
	a.log.Info("recorded", "served", n.Served, "recorded", n.Recorded, "dropped", dropped, "reasons", n.Dropped, "spooled", n.Spooled, "pending", n.Pending())
	return a.unrecorded(rec, writing.end(a, err), err)
}
