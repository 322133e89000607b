package target

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/target/sender"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Stream says what the events of a stream mean by their names (HTML,
// server-sent events). Where no name is given, each event's data is read as a
// document.
type Stream struct {
	// Progress are the names of events that say that the operation goes on, Done
	// and Failed of those that say how it ended. An event of another name is
	// passed over if any of them is given; one without a name is "message".
	Progress []string `yaml:"progress"`
	Done     []string `yaml:"done"`
	Failed   []string `yaml:"failed"`
}

func (s Stream) given() bool { return len(s.Progress)+len(s.Done)+len(s.Failed) > 0 }

// stream reads server-sent events at the address of the status monitor, or in
// the acknowledgement itself.
type stream struct{}

func (stream) expect(*wait) func(string) { return nothing }

func (stream) await(ctx context.Context, w *wait) {
	w.begin(understudyv1.Channel_CHANNEL_SSE)
	if ack := w.o.GetAck(); isEventStream(message.First(ack.GetHeaders(), "Content-Type")) {
		w.inTheAcknowledgement(ctx, ack)
		return
	}
	m, over := w.monitor(ctx)
	if over {
		return
	}
	if m.monitor.Result { // it had ended already
		answer, err := w.follow(ctx, m.target.String())
		if err != nil {
			w.giveUp("result_failed", message.TransportError(err).GetMessage())
			return
		}
		w.ended(operation.Status{State: operation.Done, Answer: answer, Head: understudyv1.Completion_HEAD_ANSWER}, time.Now())
		return
	}
	w.o.Completion.Reason = "timeout"
	end := w.sent.Add(w.p.Timeout)
	reading, stop := context.WithDeadline(ctx, latest(end, w.acked).Add(lastAnswer))
	defer stop()
	s := &subscription{watch: m, stop: stop}
	for {
		over := s.read(reading)
		if over || w.o.Completion.GetSeen() > 0 || !sleep(reading, m.pause) {
			break
		}
		m.pause = min(max(time.Duration(float64(m.pause)*w.p.PollBackoff), w.p.PollInterval), w.p.PollMax)
	}
	if s.linger != nil {
		s.linger.Stop()
	}
	if ctx.Err() != nil && w.o.GetCompletion().GetSeen() == 0 && w.o.GetCompletion() != nil {
		w.o.Completion.Reason = "interrupted"
	}
	w.r.Turn.end(false)
}

// inTheAcknowledgement reads the events of a stream that has been read whole.
func (w *wait) inTheAcknowledgement(ctx context.Context, ack *understudyv1.Response) {
	w.o.Completion.Reason, w.o.Completion.Detail = "stream_ended", "the stream in the answer ended without an event that says how"
	events := newEvents(bytes.NewReader(ack.GetBody().GetContent()), w.c.cfg.CaptureLimit)
	for {
		e, err := events.next()
		if err != nil {
			break
		}
		if over := w.event(ctx, e, w.acked); over {
			return
		}
	}
	w.r.Turn.end(false)
}

// subscription is the reading of one stream, over as many connections as it
// takes.
type subscription struct {
	*watch
	lastID string
	linger *time.Timer
	stop   func()
}

// read reads one connection to its end, and says whether the wait is over.
func (s *subscription) read(ctx context.Context) (over bool) {
	d := s.o.GetCompletion()
	d.Polls++
	s.c.metrics.polls.Inc()
	req, err := s.request(ctx, http.MethodGet, s.target)
	if err != nil {
		return false
	}
	req.Header.Set("Accept", "text/event-stream")
	if s.lastID != "" {
		req.Header.Set("Last-Event-Id", s.lastID)
	}
	resp, err := s.c.direct.Open(req)
	if err != nil {
		if errors.Is(err, operation.ErrForeign) {
			s.refuse(err)
			return true
		}
		d.Detail = "last connection: " + message.TransportError(err).GetMessage()
		return false
	}
	defer resp.Body.Close()
	switch answer := (&understudyv1.Response{Status: uint32(resp.StatusCode), Headers: sender.Headers(resp.Header)}); {
	case resp.StatusCode == http.StatusNoContent:
		s.giveUp("stream_ended", "the stream says that it has no more events")
		return true
	case resp.StatusCode != http.StatusOK && s.means(answer) == operation.Retry:
		d.Detail = "last connection: answered " + strconv.Itoa(resp.StatusCode)
		return false
	case resp.StatusCode != http.StatusOK || !isEventStream(resp.Header.Get("Content-Type")):
		s.giveUp("stream_failed", "the status monitor answered "+strconv.Itoa(resp.StatusCode)+" and no stream of events")
		return true
	}
	events := newEvents(resp.Body, s.c.cfg.CaptureLimit)
	for {
		e, err := events.next()
		if err != nil {
			d.Detail = ""
			return false
		}
		if s.lastID = events.id; events.retry > 0 {
			s.pause = min(events.retry, s.p.PollMax)
		}
		if over := s.event(ctx, e, time.Now()); over {
			return true
		}
		if d.GetSeen() > 0 && s.linger == nil {
			if *s.p.Linger == 0 {
				return true
			}
			s.linger = time.AfterFunc(*s.p.Linger, s.stop)
		}
	}
}

// event looks at one event and says whether the wait is over.
func (w *wait) event(ctx context.Context, e event, at time.Time) (over bool) {
	kind := anyKind
	if w.p.Stream.given() {
		switch name := e.name; {
		case contains(w.p.Stream.Progress, name):
			kind = isProgress
		case contains(w.p.Stream.Done, name):
			kind = isSuccess
		case contains(w.p.Stream.Failed, name):
			kind = isFailure
		default:
			return false
		}
	}
	answer := typed(&understudyv1.Response{Status: http.StatusOK, Body: e.body})
	return w.take(ctx, call{answer: answer, at: at, kind: kind})
}

// ended takes what an operation says that has ended.
func (w *wait) ended(s operation.Status, at time.Time) {
	w.o.Completion.Reason, w.o.Completion.Detail = "", ""
	w.saw(s, at)
	w.r.Turn.endAt(at, place{}, true)
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func isEventStream(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == "text/event-stream"
}

// event is one of a stream.
type event struct {
	name string
	body *understudyv1.Body
}

// events reads a stream of server-sent events (HTML, 9.2.6).
type events struct {
	r     *bufio.Reader
	limit int64
	// id and retry are the last that the stream has set.
	id     string
	retry  time.Duration
	lastCR bool
	begun  bool
}

// maxLine bounds a line of a stream, in bytes; a longer one ends the connection.
const maxLine = 16 << 20

var errLongLine = errors.New("a line of the stream is too long")

func newEvents(r io.Reader, limit int64) *events {
	return &events{r: bufio.NewReaderSize(r, 4<<10), limit: limit}
}

// next is the next event that has data. An event that the end of the stream cuts
// is none.
func (s *events) next() (event, error) {
	e := event{name: "message"}
	var data message.Capture
	data.Expect(s.limit, -1)
	lines := 0
	for {
		line, err := s.line()
		if err != nil {
			return event{}, err
		}
		if !s.begun {
			s.begun = true
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		if len(line) == 0 {
			if lines > 0 {
				e.body = new(understudyv1.Body)
				data.Fill(e.body, true)
				return e, nil
			}
			e.name = "message"
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "data":
			if lines++; lines > 1 {
				_, _ = data.Write([]byte("\n"))
			}
			_, _ = data.Write(value)
		case "event":
			if e.name = string(value); e.name == "" {
				e.name = "message"
			}
		case "id":
			if bytes.IndexByte(value, 0) < 0 && len(value) <= maxID {
				s.id = strings.Map(printable, string(value))
			}
		case "retry":
			if n, err := strconv.ParseUint(string(value), 10, 32); err == nil {
				s.retry = time.Duration(n) * time.Millisecond
			}
		}
	}
}

// maxID bounds the identifier of an event that is sent back.
const maxID = 1024

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}

// line is the next line without its end, which is LF, CR or both.
func (s *events) line() ([]byte, error) {
	var line []byte
	for {
		b, err := s.r.ReadByte()
		if err != nil {
			return nil, err
		}
		if s.lastCR {
			if s.lastCR = false; b == '\n' {
				continue
			}
		}
		if b == '\r' || b == '\n' {
			s.lastCR = b == '\r'
			return line, nil
		}
		if len(line) == maxLine {
			return nil, errLongLine
		}
		line = append(line, b)
	}
}
