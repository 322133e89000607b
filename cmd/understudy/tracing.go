package main

import (
	"os"

	"understudy.dev/exchange/trace"
	"understudy.dev/setting"
)

// openTracer makes what exports spans, nil if nobody wants any.
func (a *app) openTracer(instance string, ad *admin) (*trace.Tracer, error) {
	name := os.Getenv("OTEL_SERVICE_NAME")
	if name == "" {
		name = "understudy"
	}
	cfg := a.cfg.Tracing.FromEnvironment()
	t, err := trace.New(cfg, []trace.Attr{
		trace.Text("service.name", name), trace.Text("service.version", readBuild().version), trace.Text("service.instance.id", instance),
	}, a.log, ad.registry)
	if err != nil {
		var ps setting.Problems
		ps.Under("tracing", err)
		return nil, usagef("%w", ps.Err())
	}
	if t != nil {
		a.log.Info("requests are traced", "collector", setting.Address(cfg.Endpoint))
	}
	return t, nil
}
