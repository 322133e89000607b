package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"understudy.dev/comparator/report"
	"understudy.dev/replayer"
	"understudy.dev/replayer/kafka"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

const (
	// minDelivery is how long a replay may wait for Kafka at least, because
	// repeating it is expensive.
	minDelivery = time.Minute
	// writeWait is how long a replay that stops waits for Kafka to take what
	// is still to be written.
	writeWait = 15 * time.Second
	// settled is how long the recording must be quiet before its end is taken:
	// recorders let records linger, 20 ms by default.
	settled = 500 * time.Millisecond
	// quiet is how long Kafka may leave records unacknowledged before it is
	// said; the state of a run is written every 2 s.
	quiet = 5 * time.Second
	// repeat is the pause between two lines about the same outage.
	repeat = 15 * time.Second
)

// outageSink is a sink that tells when Kafka is gone.
type outageSink struct {
	replayer.Sink
	unreachable func()
}

// Replay implements replayer.Sink.
func (s *outageSink) Replay(ctx context.Context, r *understudyv1.Replay, done func(error)) {
	s.Sink.Replay(ctx, r, func(err error) {
		if stream.Unreachable(err) {
			s.unreachable()
		}
		done(err)
	})
}

// notWritten says what a run lost because of Kafka, and what to do.
func notWritten(run *understudyv1.Run, outage string, err error) error {
	made := run.GetReplayed() + total(run.GetSkipped()) + run.GetOrphans()
	where := ""
	if outage != "" {
		where = "; kafka does not answer: " + outage
	}
	if made <= run.GetWritten() {
		// Not %w: that the run was interrupted is the lesser news.
		return fmt.Errorf("run %s: %s%s; when Kafka is back, understudy runs close %s ends the run if it is not ended",
			run.GetName(), kafkaPart(err), where, run.GetName())
	}
	return fmt.Errorf("run %s: %d of %d replays were not written and are lost%s; when Kafka is back, understudy runs close %s ends the run, and a replay under another name repeats it",
		run.GetName(), made-run.GetWritten(), made, where, run.GetName())
}

// kafkaPart is the part of a joined error for which Kafka is to blame.
func kafkaPart(err error) string {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range all.Unwrap() {
			if errors.Is(e, kafka.ErrKafka) {
				return kafkaPart(e)
			}
		}
	}
	return err.Error()
}

// giveUpAfter calls giveUp when ctx has been over for d. The function it
// returns is called when there is nothing to give up any more.
func giveUpAfter(ctx context.Context, d time.Duration, giveUp func()) (done func()) {
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-over:
		case <-timer.C:
			giveUp()
		}
	})
	return func() { stop(); close(over) }
}

// watchWrites says when Kafka leaves records unacknowledged: how many, since
// when, and what happens to them.
func (a *app) watchWrites(p *stream.Producer, outage *stream.Outage, delivery time.Duration) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		var said time.Time
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			waiting, _ := p.Buffered()
			if since := outage.Unacknowledged(); waiting > 0 && since >= quiet && time.Since(said) >= repeat {
				said = time.Now()
				a.log.Warn("kafka takes no records; the run stops when it gives one up", "waiting", waiting,
					"for", since.Round(time.Second), "given_up_after", delivery,
					"brokers", cmp.Or(outage.String(), strings.Join(a.cfg.Kafka.Brokers, ",")))
			}
		}
	}()
	return func() { close(quit); <-done }
}

// nextSteps says what a person may want to do about the result of a run.
func (a *app) nextSteps(run *understudyv1.Run) {
	if n := run.GetSkipped()["method_not_safe"]; n > 0 {
		fmt.Fprintf(a.errOut, "understudy: %d requests were not sent, because their methods are not safe and %s may have effects outside; if it has none, --isolated sends them\n",
			n, report.Clean(run.GetSpec().GetCandidate()))
	}
	if n := run.GetRedacted(); n > 0 {
		fmt.Fprintf(a.errOut, "understudy: %d requests were sent with tokens in the place of secrets in their bodies; where the candidate refused these, record with a rule that keeps what it needs (record.redact.rules, action keep)\n", n)
	}
	if n := run.GetUncontrolled()["method_not_safe"]; n > 0 {
		fmt.Fprintf(a.errOut, "understudy: the control was not asked for %d replays of its sample, because their methods are not safe and it is the recorded baseline; another instance without effects outside gets them with --control-isolated\n", n)
	}
	if n := run.GetUncontrolled()["redacted"]; n > 0 {
		fmt.Fprintf(a.errOut, "understudy: the control was not asked for %d replays, because redaction took something from their requests, which a warning above names; --control-header \"NAME: value\" gives it a header of its own, and \"NAME:\" says that it needs none\n", n)
	}
}

// recorded says which recorders there are, and from when to when, for a run
// that selected none of their exchanges.
func (a *app) recorded(ctx context.Context, f replayFlags) string {
	tallies, err := stream.Tallies(ctx, a.cfg.Kafka.Config, a.names())
	if err != nil || len(tallies) == 0 {
		return "topic " + a.names().Exchanges + " holds no exchange of this choice; understudy record or understudy import fills it"
	}
	slices.SortFunc(tallies, func(x, y *understudyv1.Tally) int { return cmp.Compare(y.GetTimeUnixNano(), x.GetTimeUnixNano()) })
	var known []string
	for _, t := range tallies[:min(len(tallies), 5)] {
		known = append(known, fmt.Sprintf("%s (%d exchanges, %s to %s)", report.Clean(t.GetRecorder()), t.GetRecorded(), clock(t.GetStartUnixNano()), clock(t.GetTimeUnixNano())))
	}
	if n := len(tallies) - len(known); n > 0 {
		known = append(known, fmt.Sprintf("and %d more", n))
	}
	chosen := ""
	for _, flag := range slices.Sorted(maps.Keys(f.given())) {
		chosen += " " + flag + " " + f.given()[flag]
	}
	return fmt.Sprintf("no exchange is within%s; recorders are %s", cmp.Or(chosen, " the topic"), strings.Join(known, ", "))
}

func (f replayFlags) given() map[string]string {
	out := map[string]string{"--from": f.from, "--to": f.to, "--recorder": strings.Join(f.recorders, ",")}
	maps.DeleteFunc(out, func(_, v string) bool { return v == "" })
	return out
}

func clock(unixNano int64) string { return time.Unix(0, unixNano).UTC().Format(time.RFC3339) }
