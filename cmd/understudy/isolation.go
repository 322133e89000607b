package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"understudy.dev/exchange/kill"
	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// isolationFlags say what a run may touch.
func (a *app) isolationFlags(c *cobra.Command) {
	r, fl := &a.cfg.Replay, c.Flags()
	fl.BoolVar(&r.Isolated, "isolated", r.Isolated, "the candidate has no effect outside the rehearsal: send unsafe methods")
	fl.StringSliceVar(&r.Allow, "allow", r.Allow, "the only places to connect to: host, *.host, address or network, each with a :port or without")
	fl.BoolVar(&r.OntoBaseline, "onto-baseline", r.OntoBaseline, "replay though the candidate is, as far as it shows, the system that was recorded")
	fl.StringVar(&r.Mark, "mark", r.Mark, "header field that carries the run's name on each request; off sends none")
	a.killFlag(c)
}

func (a *app) killFlag(c *cobra.Command) {
	r := &a.cfg.Replay
	c.Flags().StringVar(&r.KillFile, "kill-file", r.KillFile, "file of the kill switch: while it is there, nothing is sent")
}

func (a *app) replayKillCommand() *cobra.Command {
	reason := ""
	c := &cobra.Command{
		Use: "kill on|off", Short: "Cut off all replays that watch a file, or end that", Args: exactly("on|off"),
		Long: `Makes or removes the file of a kill switch. Within 200 ms the replays and
workers that were started with it (--kill-file) send nothing more, and their
runs end as canceled; none begins while the file is there. Nothing else needs to
work.`,
		ValidArgs: []string{"on", "off"},
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkTurn(args[0]); err != nil {
				return err
			}
			if a.cfg.Replay.KillFile == "" || reason == "" {
				return usagef("replay kill needs --kill-file FILE and --reason TEXT")
			}
			return a.turn(kill.New(a.cfg.Replay.KillFile, "replays send nothing", a.log), args[0], reason)
		},
	}
	a.killFlag(c)
	c.Flags().StringVar(&reason, "reason", reason, "why")
	return c
}

// openKill lets the admin listener and SIGUSR1 turn the kill switch of a replay, if
// it has one, until stop is called.
func (a *app) openKill(ctx context.Context, s *kill.Switch, ad *admin) (stop func()) {
	if s == nil {
		return func() {}
	}
	ad.also["/replay/kill"] = s.Handler
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() { killBySignal(ctx, s) })
	return func() { cancel(); following.Wait() }
}

// checkTurn says what is wrong with a word that should be on or off.
func checkTurn(to string) error {
	if to != "on" && to != "off" {
		return usagef("%q is not one of on, off", to)
	}
	return nil
}

// turn turns a kill switch to on or off.
func (a *app) turn(s *kill.Switch, to, reason string) error {
	if err := s.Turn(to == "on", who(), reason); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s %s\n", to, s.File())
	return nil
}

// preflight says why a run must not begin or go on: it would touch what it must
// not.
func (a *app) preflight(ctx context.Context, w stream.TimelineConfig) error {
	var baselines []string
	err := stream.EachTally(ctx, a.cfg.Kafka.Config, a.names(), func(t *understudyv1.Tally) {
		if at := t.GetBaseline(); at != "" && concerns(t, w) && !slices.Contains(baselines, at) {
			baselines = append(baselines, at)
		}
	})
	if err != nil {
		return dependency(err)
	}
	return refusal(a.cfg.Replay.Preflight(ctx, baselines))
}

// concerns says whether a recorder may have recorded something of a window.
func concerns(t *understudyv1.Tally, w stream.TimelineConfig) bool {
	began, last := time.Unix(0, t.GetStartUnixNano()), time.Unix(0, t.GetTimeUnixNano())
	return (len(w.Recorders) == 0 || slices.Contains(w.Recorders, t.GetRecorder())) &&
		(w.From.IsZero() || t.GetTimeUnixNano() == 0 || !last.Before(w.From)) && (w.To.IsZero() || began.Before(w.To))
}

// refusal is a mistake of whoever asks for a run that must not be.
func refusal(err error) error {
	if refused := (*replayer.Refusal)(nil); errors.As(err, &refused) {
		return usage(err)
	}
	return err
}

// stopAll tells all who work at the run to stop.
func (a *app) stopAll(p *stream.Producer) func(context.Context) error {
	return func(ctx context.Context) error {
		return stream.Wish(ctx, a.names(), p, a.cfg.Replay.Run, understudyv1.RunControl_WISH_STOP)
	}
}

// originOf is where a URL leads to, without what may be a secret.
func originOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
