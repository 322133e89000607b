package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"understudy.dev/demo"
	"understudy.dev/demo/traffic"
)

// demonstration walks the whole path once.
type demonstration struct {
	a       *app
	say     io.Writer
	systems *demo.Systems
	began   time.Time
}

func (d *demonstration) step(format string, args ...any) {
	fmt.Fprintf(d.say, "%5.1fs  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// run records, replays and compares. What it starts ends with platform.
func (d *demonstration) run(ctx, platform context.Context) error {
	d.began = time.Now()
	d.systems = demo.New(true)
	go func() { _ = d.systems.Run(platform) }()
	<-d.systems.Ready()
	d.step("baseline %s, candidate %s", d.systems.Baseline, d.systems.Candidate)
	if err := d.record(ctx); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	r := &d.a.cfg.Replay
	r.Run, r.Candidate, r.Speed, r.Isolated = demoRun, d.systems.Candidate, 2, true
	d.step("replaying at %gx against the candidate", r.Speed)
	run, err := d.a.runReplay(ctx, replayFlags{headers: []string{"Authorization: " + demo.Credential}})
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	d.step("replayed %d of %d, %.0f/s, lag p99 %s", run.GetReplayed(), run.GetSelected(), run.GetAchievedRate(), time.Duration(run.GetLagP99Nano()))
	if err := d.a.compare(ctx, compareFlags{run: demoRun, wait: time.Minute, quiet: true}); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	d.step("compared")
	return ctx.Err()
}

// record drives the traffic through a recorder and stops it in order.
func (d *demonstration) record(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	address, err := freeLoopback()
	if err != nil {
		return err
	}
	rc := &d.a.cfg.Record
	rc.Key = rand.Text() // of recorder and replay, and of nobody else
	rc.Listen, rc.Upstream.URL = address, d.systems.Baseline
	recording, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan error, 1)
	go func() { ended <- d.a.record(recording, false) }()
	if err := awaitListener(ctx, address, ended); err != nil {
		return err
	}
	c := traffic.DefaultConfig()
	c.BaseURL = "http://" + address
	users, err := traffic.New(c, nil)
	if err != nil {
		return err
	}
	d.step("recording %d users' sessions through http://%s (about 20 s)", c.Sessions, address)
	counts, err := users.Run(ctx)
	stop(errNothingLeft)
	if err := errors.Join(err, <-ended); err != nil {
		return err
	}
	d.step("recorded %d requests of %d sessions", counts.Requests, counts.Sessions)
	return nil
}

func freeLoopback() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// awaitListener waits until something listens; ended says why nothing will.
func awaitListener(ctx context.Context, address string, ended chan error) error {
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case err := <-ended:
			if err == nil {
				err = errors.New("it ended at once")
			}
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
