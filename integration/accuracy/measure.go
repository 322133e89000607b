package accuracy

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/comparator"
	"understudy.dev/exchange/target"
	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func decimal(n int) string { return strconv.Itoa(n) }

// judged is what became of one pair.
type judged struct {
	*pair
	replay     *understudyv1.Replay
	comparison comparator.Comparison
}

// run replays a world and judges what came of it, in the order of the
// recording. It opens no sockets, so that time can be virtual. orphans are completions that belong to nothing.
func (w *world) run(ctx context.Context, judge *comparator.Judge) (out []judged, orphans int, err error) {
	network := newLAN()
	face := newCandidate(w)
	client, stopClient := network.client()
	defer stopClient()
	face.client = client
	address, stop := network.serve(face)
	defer stop()
	w.candidate.host = address
	cfg := replayer.DefaultConfig()
	cfg.Run, cfg.Candidate, cfg.Speed, cfg.MaxGap, cfg.Network = "accuracy", "http://"+address, w.speed, 500*time.Millisecond, network
	cfg.CaptureLimit, cfg.Timeout, cfg.Isolated = keep, 20*time.Second, true
	pause := linger
	cfg.Completion.Timeout, cfg.Completion.Linger = timeout, &pause
	cfg.Routes = []target.Route{
		{Route: "POST /orders/*/dispatch", Completion: target.Completion{Channel: target.ChannelCallback}},
		{Route: "POST /orders/*/shipment", Completion: target.Completion{Deadline: deadline}},
	}
	s := &source{pairs: w.pairs}
	k := &sink{world: w, judge: judge, face: face}
	cfg.Redactor = w.redactor
	r, err := replayer.New(cfg, &understudyv1.RunSpec{}, s, k, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		return nil, 0, err
	}
	_, err = r.Run(ctx)
	face.calling.Wait()
	slices.SortFunc(k.out, func(a, b judged) int { return a.start.Compare(b.start) })
	return k.out, k.orphans, err
}

type source struct{ pairs []*pair }

func (s *source) Next(ctx context.Context) (*understudyv1.Exchange, error) {
	if len(s.pairs) == 0 {
		return nil, io.EOF
	}
	e := s.pairs[0].exchange
	s.pairs = s.pairs[1:]
	return e, ctx.Err()
}

func (*source) Unselected() map[string]uint64 { return nil }
func (*source) Late() uint64                  { return 0 }

type sink struct {
	world   *world
	judge   *comparator.Judge
	face    *candidate
	mu      sync.Mutex
	out     []judged
	orphans int
}

func (s *sink) Replay(_ context.Context, r *understudyv1.Replay, done func(error)) {
	s.world.redactor.Replay(r)
	s.world.askAgain(s.face.pairs[r.GetExchange().GetId()], r)
	c := s.judge.Judge(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.face.pairs[r.GetExchange().GetId()]; p != nil {
		s.out = append(s.out, judged{p, r, c})
		s.face.settle(p) // if it was skipped
	} else {
		s.orphans++
	}
	done(nil)
}

func (*sink) Run(context.Context, *understudyv1.Run) error { return nil }
func (*sink) Flush(context.Context) error                  { return nil }

// final is the answer that the candidate ended with, nil if there is none. For
// the sake of rules that know no operations, a completion has the status that
// the baseline had at once.
func (j judged) final() *understudyv1.Response {
	o := j.replay.GetCandidate()
	done := o.GetCompletion()
	if done == nil || done.GetChannel() == understudyv1.Channel_CHANNEL_IMMEDIATE || o.GetAck().GetStatus() >= 400 {
		return o.GetAck()
	}
	if done.GetSeen() == 0 || done.GetFailed() {
		return nil
	}
	return &understudyv1.Response{Status: j.exchange.GetResponse().GetStatus(), Headers: done.GetPayload().GetHeaders(), Body: done.GetPayload().GetBody()}
}

// reported says whether a verdict says that there is a difference.
func reported(v comparator.Verdict) bool {
	switch v {
	case comparator.Match, comparator.Presumed, comparator.Incomplete, comparator.Skipped, comparator.Orphan:
		return false
	}
	return true
}

// real says whether the pair has a real difference.
func (j judged) real() bool {
	return j.kind != nil && j.kind.class != noises && (j.vanished == nil || !j.vanished())
}

// at says whether a difference stands at the planted place.
func (j judged) at(d comparator.Difference) bool {
	path, place := strings.ToLower(d.Path), strings.ToLower(j.place)
	return place == "$" && d.Place == comparator.InBody || strings.HasPrefix(path, place) ||
		place == "status" && d.Place == comparator.InTrailer
}

// found says whether the difference was reported, and where it is.
func (j judged) found() bool {
	if j.kind.verdict != "" && j.kind.class != values {
		return slices.Contains(j.comparison.Findings, j.kind.verdict)
	}
	return reported(j.comparison.Verdict) && slices.ContainsFunc(j.comparison.Differences, func(d comparator.Difference) bool { return d.Counts() && j.at(d) })
}
