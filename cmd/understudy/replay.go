package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"understudy.dev/exchange/redact"
	"understudy.dev/replayer"
	"understudy.dev/replayer/kafka"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
	"understudy.dev/setting/source"
	"understudy.dev/stream"
)

type replayFlags struct {
	from, to  string
	recorders []string
	headers   []string
	control   []string
}

func (a *app) replayCommand() *cobra.Command {
	var f replayFlags
	var d dryRunFlags
	c := &cobra.Command{
		Use: "replay --run NAME --candidate URL", Short: "Drive recorded exchanges against the candidate on their schedule",
		Long: `   Kafka: exchanges ──► select ──► schedule ──► candidate ──► await completion
                                                                  │
   Kafka: replays, runs ◄─────────────────────────────────────────┘

Requests leave on an absolute schedule, whatever the candidate does; latency
counts from the intended moment. Unsafe methods are sent only with --isolated.`,
		Args: exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			calmCollector(1600, 1<<30)
			if d.on {
				return a.dryRun(c.Context(), f, d)
			}
			return a.replay(c.Context(), f)
		},
	}
	c.Flags().StringVar(&a.cfg.Replay.Run, "run", "", "name of the run; it must be new")
	a.choiceFlags(c, &f)
	a.replayFlags(c, &f)
	a.latencyFlag(c, ", with --dry-run json", "json")
	c.Flags().BoolVar(&a.cfg.Replay.Follow, "follow", false, "shadow mode: replay what is recorded from now on (or from --from, as far behind), until interrupted")
	c.Flags().DurationVar(&a.cfg.Replay.Delay, "delay", a.cfg.Replay.Delay, "shadow mode: how long after its recorded start a request is sent")
	d.add(c)
	c.AddCommand(a.workerCommand(), a.replayKillCommand())
	return c
}

// choiceFlags say what is replayed.
func (a *app) choiceFlags(c *cobra.Command, f *replayFlags) {
	fl := c.Flags()
	fl.StringVar(&f.from, "from", "", "first moment of the recording, RFC 3339, or a duration before now")
	fl.StringVar(&f.to, "to", "", "moment at which to end (not included), likewise")
	fl.StringSliceVar(&f.recorders, "recorder", nil, "recorder instances to take; none means all")
}

// replayFlags say how.
func (a *app) replayFlags(c *cobra.Command, f *replayFlags) {
	a.kafkaFlags(c)
	a.adminFlag(c)
	r, fl := &a.cfg.Replay, c.Flags()
	fl.StringVar(&r.Candidate, "candidate", r.Candidate, "URL of the candidate")
	fl.Float64Var(&r.Speed, "speed", r.Speed, "scale of the recorded rate: 5 is five times as fast")
	fl.DurationVar(&r.MaxGap, "max-gap", r.MaxGap, "cut longer pauses of the recording to this; 0 keeps them")
	fl.StringArrayVar(&f.headers, "header", nil, "header for every request, \"Name: value\"; gives credentials that redaction took away")
	fl.StringVar(&r.Completion.Channel, "completion", r.Completion.Channel, "how answers come: auto, response, poll, long_poll, sse, callback or topic")
	fl.DurationVar(&r.Completion.Timeout, "completion-timeout", r.Completion.Timeout, "after this an accepted request counts as lost")
	fl.StringVar(&r.CallbackListen, "callback-listen", r.CallbackListen, "address to take callbacks on")
	fl.StringVar(&r.CallbackURL, "callback-url", r.CallbackURL, "how the candidate reaches it; default http:// and the address")
	a.isolationFlags(c)
	fl.StringVar((*string)(&r.Order), "order", string(r.Order), "send a request only after the one before it in its session is acknowledged or completed; none waits for nothing")
	fl.Lookup("order").NoOptDefVal = string(replayer.OrderCompleted)
	fl.BoolVar(&r.PreserveHost, "preserve-host", r.PreserveHost, "send the recorded Host header")
	fl.IntVar(&r.InFlight, "in-flight", r.InFlight, "unfinished requests at most; what is due beyond is skipped and counted")
	fl.DurationVar(&r.LagBudget, "lag-budget", r.LagBudget, "fail the run (exit 3) when the 99th percentile of the schedule lag exceeds this; 0 means none")
	fl.Float64Var(&r.ErrorBudget, "error-budget", r.ErrorBudget, "end and fail the run when more than this share of at least 100 requests gets no answer")
	fl.Float64Var(&r.Control.Share, "control", r.Control.Share, "share of the replays, 0 to 1, for which the baseline is asked again")
	fl.StringVar(&r.Control.URL, "control-url", r.Control.URL, "where it is asked: URL of the baseline, or of another instance of it")
	fl.BoolVar(&r.Control.Isolated, "control-isolated", r.Control.Isolated, "that is another instance without effects outside: send unsafe methods, and its own names")
	fl.StringArrayVar(&f.control, "control-header", nil, "header for every request to it, \"Name: value\"")
	a.loadFlags(c)
	a.keyFlag(c)
	enumerate(c, "completion", "auto", "response", "poll", "long_poll", "sse", "callback", "topic")
	enumerate(c, "order", "none", "acknowledged", "completed")
}

func (a *app) replay(ctx context.Context, f replayFlags) error {
	summary, err := a.runReplay(ctx, f)
	if errors.Is(err, replayer.ErrNothing) {
		err = usagef("%w: %s", err, a.recorded(ctx, f))
	}
	return a.replayed(summary, err)
}

// replayed prints how a run stands, and says how it ended.
func (a *app) replayed(summary *understudyv1.Run, err error) error {
	if summary != nil {
		printRun(a.out, summary)
		a.nextSteps(summary)
	}
	if errors.Is(err, replayer.ErrLag) {
		return threshold(err)
	}
	return err
}

// runReplay replays and returns the final state of the run.
func (a *app) runReplay(ctx context.Context, f replayFlags) (*understudyv1.Run, error) {
	if err := a.checkOutput(); err != nil {
		return nil, err
	}
	window, err := a.newRun(ctx, f, "replay")
	if err != nil {
		return nil, err
	}
	return a.drive(ctx, window, nil)
}

// newRun checks what is asked of a run that is to begin; command is what the
// person typed.
func (a *app) newRun(ctx context.Context, f replayFlags, command string) (stream.TimelineConfig, error) {
	window, err := a.asked(ctx, f, command)
	if err != nil {
		return window, err
	}
	return window, a.requireNewRun(ctx, a.cfg.Replay.Run)
}

// asked checks what is asked of a run and says what it reads.
func (a *app) asked(ctx context.Context, f replayFlags, command string) (stream.TimelineConfig, error) {
	r := &a.cfg.Replay
	window, err := a.timeline(f)
	if err == nil {
		err = a.takeHeaders(f)
	}
	if err != nil {
		return window, err
	}
	if r.Run == "" {
		return window, usagef("%s needs --run NAME", command)
	}
	if err := stream.CheckRunName(r.Run); err != nil {
		return window, usagef("--run: %w", err)
	}
	if r.Candidate == "" {
		return window, usagef("%s needs --candidate http://host:port", command)
	}
	if err := a.readyToReplay(ctx); err != nil {
		return window, err
	}
	if err := a.choose(ctx); err != nil {
		return window, err
	}
	return window, a.preflight(ctx, window)
}

func (a *app) takeHeaders(f replayFlags) error {
	r := &a.cfg.Replay
	return usage(errors.Join(
		a.addHeaders(&r.Headers, "--header", "replay.headers", f.headers),
		a.addHeaders(&r.Control.Headers, "--control-header", "replay.control.headers", f.control),
	))
}

// readyToReplay checks the configuration of a replay, and the topics.
func (a *app) readyToReplay(ctx context.Context) error {
	if err := a.need("replay", "record", "kafka", "kafka.producer"); err != nil {
		return err
	}
	return a.requireTopics(ctx)
}

// replayProducer writes what a replay produces.
func (a *app) replayProducer(ctx context.Context, outage *stream.Outage) (*stream.Producer, error) {
	pc := a.cfg.Kafka.Producer
	pc.DeliveryTimeout = max(pc.DeliveryTimeout, minDelivery)
	pc.Compression = "snappy" // a batch of zstd keeps a core from sending for milliseconds
	return a.newProducer(ctx, pc, outage.Option())
}

// begin is the first record of a run: what it is made of. A run that follows has
// no end, and no worker could go on with it.
func (a *app) begin(ctx context.Context, p *stream.Producer, window *stream.TimelineConfig) (*understudyv1.Run, error) {
	if window.Follow {
		return nil, nil
	}
	if err := a.settle(ctx, p, max(settled, 10*a.cfg.Kafka.Producer.Linger)); err != nil {
		return nil, err
	}
	extents, err := stream.Extents(ctx, a.cfg.Kafka.Config, a.names(), *window)
	if err != nil {
		return nil, dependency(err)
	}
	window.Extents = extents
	return &understudyv1.Run{Name: a.cfg.Replay.Run, Extents: extents}, nil
}

// drive replays a run: one that begins, or, with its last record, as a worker of
// one that has begun.
func (a *app) drive(ctx context.Context, window stream.TimelineConfig, begun *understudyv1.Run) (*understudyv1.Run, error) {
	r := &a.cfg.Replay
	a.ownKey()
	keys, err := a.cfg.Record.Keys()
	if err != nil {
		return nil, usagef("record.key: %w", err)
	}
	outage := stream.NewOutage(a.log)
	producer, err := a.replayProducer(ctx, outage)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	if r.Resume = begun; begun == nil {
		if r.Resume, err = a.begin(ctx, producer, &window); err != nil {
			return nil, err
		}
	}
	timeline, err := stream.OpenTimeline(ctx, a.cfg.Kafka.Config, window, deadLetters(producer, "replayer"))
	if err != nil {
		return nil, dependency(err)
	}
	defer timeline.Close()
	ad := newAdmin(a.cfg.AdminAccess, a.logs)
	r.Redactor = redact.New(a.cfg.Record.Redact, keys.Current(), keys[1:]...)
	writer := kafka.NewSink(producer, a.names(), r.Redactor)
	sink := &outageSink{Sink: writer}
	if !window.Follow {
		stop, err := a.joinBoard(ctx)
		if err != nil {
			return nil, err
		}
		defer stop()
	}
	if begun != nil {
		team, err := a.joinTeam(ctx, producer, begun)
		if err != nil {
			return nil, err
		}
		defer team.Close()
		r.Team, writer.Worker, r.Stop = team, r.Worker, a.stopAll(producer)
	}
	if r.UsesTopics() {
		topics, err := a.candidateTopics(ctx, r.TopicBrokers)
		if err != nil {
			return nil, err
		}
		defer topics.Close()
		r.Topics = topics
	}
	from := kafka.NewSource(timeline)
	defer from.Close()
	from.Reopen = func(ctx context.Context) (*stream.Timeline, error) {
		return stream.OpenTimeline(ctx, a.cfg.Kafka.Config, window, deadLetters(producer, "replayer"))
	}
	rep, err := replayer.New(*r, a.runSpec(window), from, sink, a.log, ad.registry)
	if err != nil {
		return nil, err
	}
	defer a.openKill(ctx, rep.Kill(), ad)()
	stopAdmin, err := ad.start(a.cfg.Admin, a.log)
	if err != nil {
		return nil, err
	}
	defer stopAdmin()
	ad.serve()
	// The pacer's thread sleeps in the kernel and keeps its processor until the
	// runtime notices; one more lets what it just started run meanwhile.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1))
	if begun == nil {
		if err := a.claim(ctx, producer); err != nil {
			return nil, err
		}
	}
	stopLine := statusLine(a.errOut, func() string {
		size, most := timeline.Size()
		return replaying(r.Run, rep.Progress(), size*r.Copies(), most)
	})
	defer stopLine()
	defer a.sayWhenStopped(ctx, fmt.Sprintf("requests under way and their completions, at most %s, then for Kafka to take the records, at most %s", r.Drain, writeWait))()
	running, stop := context.WithCancel(ctx)
	defer stop()
	sink.unreachable = stop // what goes on could not be written either
	defer giveUpAfter(running, r.Drain+writeWait, producer.GiveUp)()
	defer a.watchWrites(producer, outage, max(a.cfg.Kafka.Producer.DeliveryTimeout, minDelivery))()
	run, err := rep.Run(running)
	if err := a.exportLatencies(rep.Latencies()); err != nil {
		return run, err
	}
	if errors.Is(err, kafka.ErrKafka) {
		return run, dependency(notWritten(run, outage.String(), err))
	}
	return run, refusal(err)
}

// claim takes the name of a new run.
func (a *app) claim(ctx context.Context, p *stream.Producer) error {
	run := a.cfg.Replay.Run
	dead, err := stream.Claim(ctx, a.cfg.Kafka.Config, a.names(), p, run)
	switch {
	case errors.Is(err, stream.ErrTaken):
		return usage(err)
	case err != nil:
		return dependency(err)
	case !dead.IsZero():
		fmt.Fprintf(a.errOut, "understudy: run %s was claimed at %s by a start that never began; its name is taken over\n", run, dead.UTC().Format(time.RFC3339))
	}
	return nil
}

// settle waits for what recorders hand over just now, so that the window ends
// behind it.
func (a *app) settle(ctx context.Context, p *stream.Producer, quiet time.Duration) error {
	came, err := stream.Settle(ctx, p.Client(), a.names().Exchanges, quiet, 6*quiet)
	if came > 0 {
		a.log.Info("recorders are still writing; what comes from now on is not in this run", "came_while_waiting", came)
	}
	return dependency(err)
}

// timeline says which part of the recording is replayed.
func (a *app) timeline(f replayFlags) (stream.TimelineConfig, error) {
	s := &a.cfg.Replay.Select
	w := stream.TimelineConfig{Topic: a.names().Exchanges, Recorders: s.Recorders, Follow: a.cfg.Replay.Follow, Delay: a.cfg.Replay.Delay}
	if len(f.recorders) > 0 {
		w.Recorders = f.recorders
	}
	now := time.Now()
	var errs []error
	at := func(flag, text, file string) time.Time {
		if text == "" {
			at, _ := replayer.Moment(file, now) // its mistakes are told with those of the file
			return at
		}
		at, err := replayer.Moment(text, now)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %q: want a time like 2026-11-24T10:00:00Z or a duration like 15m", flag, text))
		}
		return at
	}
	w.From, w.To = at("--from", f.from, s.From), at("--to", f.to, s.To)
	if err := errors.Join(errs...); err != nil {
		return w, usagef("%w", err)
	}
	if !w.Follow && w.From.After(time.Now()) {
		return w, usagef("--from %s is in the future: nothing is recorded yet; --follow replays what comes", f.from)
	}
	if !w.From.IsZero() && !w.To.IsZero() && !w.From.Before(w.To) {
		return w, usagef("--from %s is not before --to %s", f.from, f.to)
	}
	if w.Follow && w.From.Before(time.Now()) && !w.From.IsZero() {
		// At 1x, what is older is never made up for: it is followed from afar.
		w.Delay += time.Since(w.From)
		a.cfg.Replay.Delay = w.Delay
		a.log.Info("the run follows the recording from afar, because it begins in the past", "behind", w.Delay.Round(time.Second))
	}
	return w, nil
}

// addHeaders overrides headers of the file with those of a flag.
func (a *app) addHeaders(to *map[string]string, flag, setTo string, headers []string) error {
	if len(headers) == 0 {
		return nil
	}
	merged := map[string]string{}
	maps.Copy(merged, *to)
	for i, h := range headers {
		name, value, ok := strings.Cut(h, ":")
		name = strings.TrimSpace(name)
		if !ok || name == "" || strings.ContainsAny(name, " \t\r\n") || strings.ContainsAny(value, "\r\n") {
			// All of it may be a secret, so it is not repeated.
			return usagef("the %s of place %d: want \"Name: value\"", flag, i+1)
		}
		merged[name] = strings.TrimSpace(value)
		a.origins.Set(setting.Member(setTo, name), source.Origin{Kind: source.Flag, Name: fmt.Sprintf("%s %q", flag, name)})
	}
	*to = merged
	return nil
}

// requireNewRun: a name that is used twice would mix two runs in the tables.
func (a *app) requireNewRun(ctx context.Context, name string) error {
	runs, err := stream.Runs(ctx, a.cfg.Kafka.Config, a.names())
	if err != nil {
		return dependency(err)
	}
	for _, old := range runs {
		if old.GetName() == name {
			return usagef("run %s exists already (%s, began %s); choose another name", name,
				understudyv1.Label(old.GetState()), time.Unix(0, old.GetStartUnixNano()).UTC().Format(time.RFC3339))
		}
	}
	return nil
}

func (a *app) runSpec(w stream.TimelineConfig) *understudyv1.RunSpec {
	r := a.cfg.Replay
	spec := &understudyv1.RunSpec{
		Candidate: r.Candidate, Speed: r.Speed, Follow: r.Follow, Recorders: w.Recorders, Completion: r.Completion.Channel,
		CompletionTimeoutNano: int64(r.Completion.Timeout), Headers: slices.Sorted(maps.Keys(r.Headers)),
	}
	if !w.From.IsZero() {
		spec.FromUnixNano = w.From.UnixNano()
	}
	if !w.To.IsZero() {
		spec.ToUnixNano = w.To.UnixNano()
	}
	selection := r.Select
	selection.From, selection.To, selection.Recorders = "", "", nil // they are above, and resolved
	if text, err := yaml.Marshal(selection); err == nil && !reflect.DeepEqual(selection, replayer.Selection{}) {
		spec.Selection, spec.SelectionSha256 = string(text), r.Chosen.Hash()
	}
	if r.Control.On() {
		spec.Control, spec.ControlShare, spec.ControlIsolated = r.Control.URL, r.Control.Share, r.Control.Isolated
	}
	loadSpec(spec, r.Load)
	r.Headers, r.Control.Headers = nil, nil                  // secrets are left out of the fingerprint
	r.CallbackListen, r.CallbackURL, r.KillFile = "", "", "" // each worker has its own
	if text, err := yaml.Marshal(r); err == nil {
		spec.ConfigSha256 = fmt.Sprintf("%x", sha256.Sum256(bytes.TrimSpace(text)))
	}
	return spec
}
