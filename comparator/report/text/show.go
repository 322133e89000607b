package text

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"understudy.dev/comparator/diff"
	"understudy.dev/comparator/report"
	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// sideBySide is from how many columns on two answers stand beside each other.
const sideBySide = 110

// maxShown bounds what is shown of one body, in bytes; maxIndented is the
// longest JSON that is indented for it, since what is deep grows by that, and
// maxUnpacked bounds the body that is unpacked.
const (
	maxShown    = 16 << 10
	maxIndented = 64 << 10
	maxUnpacked = 8 << 20
)

// Record writes a record whole, as JSON in the names of its schema.
func Record(w io.Writer, m proto.Message) error {
	document, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return fmt.Errorf("write json: %w", err)
	}
	return writeJSON(w, json.RawMessage(document))
}

// Show writes a request and its answers for people: side by side if width, in
// columns, has room for it, and otherwise one after another; 0 is a pipe, in
// which no line is wrapped. A recording that was not replayed is a replay that
// has nothing but an exchange.
func Show(w io.Writer, r *understudyv1.Replay, width int) error {
	s := sheet{width: width}
	s.replay(r)
	_, err := io.WriteString(w, strings.TrimRight(s.String(), "\n")+"\n")
	return err
}

type sheet struct {
	strings.Builder
	width int
}

func (s *sheet) replay(r *understudyv1.Replay) {
	if x := r.GetExchange(); x != nil {
		s.put(request("Request", x.GetRequest(), redactions(x)))
		s.pair(
			[][]string{answer("Baseline, recorded"+took(x.GetDurationNano()), x.GetResponse(), x.GetError())},
			candidate(r),
		)
	} else if o := r.GetOrphan(); o != nil {
		whose := ", which nobody asked for"
		if o.GetExchangeId() != "" {
			whose = ", too late for exchange " + o.GetExchangeId()
		}
		s.put(request("Completion by "+understudyv1.Label(o.GetChannel())+whose, o.GetReceived(), ""))
	}
	if c := r.GetControl(); c != nil {
		for _, block := range observation("Control", c) {
			s.put(block)
		}
	}
}

// candidate are the answers of the candidate, or why there is none.
func candidate(r *understudyv1.Replay) [][]string {
	switch {
	case r.GetRun() == "":
		return nil
	case r.GetSkipped() != "":
		return [][]string{{"Candidate", "  not sent: " + r.GetSkipped() + prefixed(" — ", r.GetSkippedDetail())}}
	}
	return observation("Candidate", r.GetCandidate())
}

func observation(who string, o *understudyv1.Observation) [][]string {
	out := [][]string{answer(who+", acknowledgement"+took(o.GetAckServiceNano()), o.GetAck(), o.GetError())}
	done := o.GetCompletion()
	if done == nil || done.GetChannel() == understudyv1.Channel_CHANNEL_IMMEDIATE {
		return out
	}
	head := who + ", completion by " + understudyv1.Label(done.GetChannel())
	if done.GetSeen() == 0 {
		text := "  none: " + done.GetReason() + prefixed(" — ", done.GetDetail())
		if status := done.GetCancelStatus(); status != 0 {
			text += fmt.Sprintf("; canceled with %d", status)
		}
		return append(out, []string{head, text})
	}
	out = append(out, answer(head+took(done.GetServiceNano()), done.GetPayload(), nil))
	for i, s := range done.GetLater() {
		again := fmt.Sprintf("%s, completion %d%s", who, i+2, took(s.GetServiceNano()))
		if s.GetPayload() == nil {
			out = append(out, []string{again, "  the same to the byte"})
		} else {
			out = append(out, answer(again, s.GetPayload(), nil))
		}
	}
	return out
}

func took(nano int64) string {
	if nano <= 0 {
		return ""
	}
	return " after " + lag(nano)
}

// redactions says that values are tokens.
func redactions(x *understudyv1.Exchange) string {
	n := uint32(0)
	for _, r := range x.GetRedactions() {
		n += r.GetCount()
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("secrets that are tokens (rdx_…) since it was recorded: %d", n)
}

func request(head string, q *understudyv1.Request, remark string) []string {
	out := []string{head}
	if remark != "" {
		out = append(out, "  "+remark)
	}
	out = append(out, fmt.Sprintf("  %s %s %s", q.GetMethod(), q.GetTarget(), q.GetProtocol()))
	if message.First(q.GetHeaders(), "Host") == "" && q.GetAuthority() != "" {
		out = append(out, "  Host: "+q.GetAuthority())
	}
	out = append(out, fields(q.GetHeaders())...)
	return append(append(out, body(q.GetHeaders(), q.GetBody())...), fields(q.GetTrailers())...)
}

func answer(head string, a *understudyv1.Response, e *understudyv1.TransportError) []string {
	out := []string{head}
	switch {
	case a == nil && e != nil:
		return append(out, "  no answer: "+understudyv1.Label(e.GetKind())+prefixed(" — ", e.GetMessage()))
	case a == nil:
		return append(out, "  no answer")
	}
	out = append(out, strings.TrimRight(fmt.Sprintf("  %d %s", a.GetStatus(), a.GetProtocol()), " "))
	out = append(out, fields(a.GetHeaders())...)
	return append(append(out, body(a.GetHeaders(), a.GetBody())...), fields(a.GetTrailers())...)
}

func fields(hs []*understudyv1.Header) []string {
	var out []string
	for _, h := range hs {
		out = append(out, "  "+h.GetName()+": "+string(h.GetValue()))
	}
	return out
}

// body shows text as it is, JSON indented, and says of anything else what it
// is.
func body(hs []*understudyv1.Header, b *understudyv1.Body) []string {
	if b.GetLength() == 0 && len(b.GetContent()) == 0 {
		return nil
	}
	what := fmt.Sprintf("%s bytes%s", report.Count(uint64(max(b.GetLength(), 0))), prefixed(" of ", message.MediaType(message.First(hs, "Content-Type"))))
	out := []string{""}
	if b.GetTruncated() {
		out = append(out, fmt.Sprintf("  (%s, of which %s were kept)", what, report.Count(uint64(len(b.GetContent())))))
	}
	content, err := message.Decode(b.GetContent(), message.Joined(hs, "Content-Encoding"), maxUnpacked)
	if err != nil || !isText(content, b.GetTruncated()) {
		return append(out, fmt.Sprintf("  (%s that are no text, SHA-256 %x)", what, b.GetSha256()))
	}
	var indented bytes.Buffer
	if len(content) <= maxIndented && diff.Valid(content) == nil && json.Indent(&indented, content, "", "  ") == nil {
		content = indented.Bytes()
	}
	rest := max(0, len(content)-maxShown)
	content = content[:len(content)-rest]
	for _, line := range strings.Split(strings.TrimRight(string(content), "\r\n"), "\n") {
		out = append(out, "  "+strings.TrimSuffix(line, "\r"))
	}
	if rest > 0 {
		out = append(out, fmt.Sprintf("  … and %s bytes more; -o json has them", report.Count(uint64(rest))))
	}
	return out
}

// isText: what was cut may end within a character.
func isText(b []byte, cut bool) bool {
	if cut {
		for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
			if utf8.RuneStart(b[len(b)-i]) {
				if !utf8.FullRune(b[len(b)-i:]) {
					b = b[:len(b)-i]
				}
				break
			}
		}
	}
	return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0
}

// put writes a block and a blank line.
func (s *sheet) put(block []string) {
	if len(block) == 0 {
		return
	}
	for _, line := range s.wrapped(block, s.width) {
		s.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	s.WriteByte('\n')
}

// pair writes blocks beside each other, or one after another.
func (s *sheet) pair(left, right [][]string) {
	if s.width < sideBySide || len(right) == 0 {
		for _, block := range append(left, right...) {
			s.put(block)
		}
		return
	}
	column := (s.width - 3) / 2
	l, r := s.wrapped(stacked(left), column), s.wrapped(stacked(right), column)
	for i := range max(len(l), len(r)) {
		a, b := "", ""
		if i < len(l) {
			a = l[i]
		}
		if i < len(r) {
			b = r[i]
		}
		s.WriteString(strings.TrimRight(text.Pad(a, column, ' ')+" │ "+b, " ") + "\n")
	}
	s.WriteByte('\n')
}

func stacked(blocks [][]string) []string {
	var out []string
	for i, b := range blocks {
		if i > 0 {
			out = append(out, "")
		}
		out = append(out, b...)
	}
	return out
}

// wrapped makes lines safe to show, and breaks them at a width; 0 does not.
func (s *sheet) wrapped(lines []string, width int) []string {
	var out []string
	for _, line := range lines {
		line = report.Clean(strings.ReplaceAll(line, "\t", "    "))
		if width == 0 || text.StringWidthWithoutEscSequences(line) <= width {
			out = append(out, line)
			continue
		}
		indent := strings.Repeat(" ", min(len(line)-len(strings.TrimLeft(line, " "))+2, width/2))
		first := true
		for rest := line; rest != ""; {
			room, in := width, ""
			if !first {
				in = indent
				room -= len(indent)
			}
			head := text.Trim(rest, room)
			if head == "" { // one character that is wider than the room
				head = rest
			}
			out, rest, first = append(out, in+head), rest[len(head):], false
		}
	}
	return out
}

// Head writes what a record is, and what the tables say of it. others are the
// replays of the same exchange that are not shown.
func Head(w io.Writer, r *understudyv1.Replay, stored report.Replay, others []report.Replay, width int) error {
	s := sheet{width: width}
	var lines []string
	if x := r.GetExchange(); x != nil {
		lines = append(lines, fmt.Sprintf("Exchange %s: %s", x.GetId(), x.GetRoute()),
			fmt.Sprintf("  recorded %s by %s, sequence %d; session %s", at(x.GetStartUnixNano()), x.GetRecorder(), x.GetSequence(), x.GetSession()))
	}
	if r.GetRun() != "" {
		place := report.Place{Ordinal: r.GetOrdinal(), Partition: stored.Partition, Offset: stored.Offset}
		name := "ordinal " + place.String()
		if place.Ordinal == 0 {
			name = "record " + place.String()
		}
		if lap, clone := r.GetLap(), r.GetClone(); lap > 1 || clone > 1 {
			name += fmt.Sprintf(", lap %d, clone %d", max(lap, 1), max(clone, 1))
		}
		lines = append(lines, fmt.Sprintf("  run %s, %s: %s%s; understudy explain %s %s says why", r.GetRun(), name, stored.Verdict,
			prefixed(" under judgement ", stored.Judgement), r.GetRun(), place))
	}
	for i, o := range others {
		if i == maxOthers {
			lines = append(lines, fmt.Sprintf("  and %d replays more", len(others)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("  also run %s, ordinal %d: %s", o.Run, o.Ordinal, o.Verdict))
	}
	s.put(lines)
	_, err := io.WriteString(w, s.String())
	return err
}

// maxOthers bounds the replays that are named.
const maxOthers = 5

func at(unixNano int64) string {
	return time.Unix(0, unixNano).UTC().Format("2006-01-02 15:04:05.000 UTC")
}
