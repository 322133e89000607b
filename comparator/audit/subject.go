package audit

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"understudy.dev/comparator"
	"understudy.dev/comparator/media"
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// subject is a replay into whose copies faults are planted.
type subject struct {
	survey *Survey
	random *rand.Rand
	replay *understudyv1.Replay
	base   comparator.Comparison
	final  *understudyv1.Response       // the answer that is compared
	later  bool                         // it came after the acknowledgement
	pairs  []*understudyv1.Substitution // of names, as the record lists them

	// body is the final answer's without its content coding; whole says that
	// faults can be planted in it.
	body   []byte
	whole  bool
	coding string
	format string
	// byPath are the values of the JSON in it, paths their paths in order.
	byPath map[string][]*node
	paths  []string
	// marked are the paths at which the sides differ already, extra those that
	// only the candidate has.
	marked, extra map[string]bool
	// baseline is the other side's body without its content coding, said what its
	// JSON says at each path.
	baseline []byte
	said     map[at]bool
}

// maxBody bounds the bodies into which faults are planted, in bytes: each fault
// costs a comparison of the whole.
const maxBody = 128 << 10

// newSubject takes a replay apart; why says why its body gets no faults.
func newSubject(s *Survey, r *understudyv1.Replay, base comparator.Comparison) (out *subject, why string) {
	final, later := finalOf(r)
	out = &subject{
		survey: s, random: s.random(r.GetExchange().GetId()), replay: r, base: base, final: final, later: later,
		pairs:  pairsOf(r),
		byPath: map[string][]*node{}, marked: map[string]bool{}, extra: map[string]bool{}, said: map[at]bool{},
	}
	for _, d := range base.Differences {
		out.marked[d.Path] = true
		out.extra[d.Path] = out.extra[d.Path] || d.Kind == comparator.Extra
	}
	return out, out.open()
}

// pairsOf are the pairs of names in a record.
func pairsOf(r *understudyv1.Replay) (out []*understudyv1.Substitution) {
	for _, p := range r.GetSubstitutions() {
		if !names.IsNoThing(p.GetKind()) {
			out = append(out, p)
		}
	}
	return out
}

// finalOf is the candidate's answer that is compared with the baseline's, and
// whether it came later than the acknowledgement.
func finalOf(r *understudyv1.Replay) (*understudyv1.Response, bool) {
	ack, done := r.GetCandidate().GetAck(), r.GetCandidate().GetCompletion()
	if done != nil && done.GetChannel() != understudyv1.Channel_CHANNEL_IMMEDIATE && ack.GetStatus() < 400 {
		return done.GetPayload(), true
	}
	return ack, false
}

func (s *subject) open() (why string) {
	b := s.final.GetBody()
	switch {
	case b.GetTruncated() || s.replay.GetExchange().GetResponse().GetBody().GetTruncated():
		return "a body that was cut"
	case len(b.GetContent()) == 0:
		return "no body"
	}
	s.coding = strings.ToLower(strings.TrimSpace(message.Joined(s.final.GetHeaders(), "Content-Encoding")))
	body, err := message.Decode(b.GetContent(), s.coding, maxBody)
	switch {
	case errors.Is(err, message.ErrTooLong) || len(body) > maxBody:
		return fmt.Sprintf("a body of more than %d KiB", maxBody>>10)
	case err != nil:
		return "a body whose content coding cannot be read"
	}
	if _, err := encode(body, s.coding); err != nil {
		return "a body with several content codings"
	}
	kind := message.First(s.final.GetHeaders(), "Content-Type")
	document, err := media.Open(kind, body, media.Options{})
	if err != nil {
		return "a body that is not what its type says"
	}
	other := s.replay.GetExchange().GetResponse()
	if s.baseline, err = message.Decode(other.GetBody().GetContent(), message.Joined(other.GetHeaders(), "Content-Encoding"), maxBody); err != nil {
		return "a body whose baseline's cannot be read"
	}
	s.body, s.whole, s.format = body, true, document.Format
	err = s.parse(s.body, func(n *node) {
		if s.byPath[n.path] == nil {
			s.paths = append(s.paths, n.path)
		}
		s.byPath[n.path] = append(s.byPath[n.path], n)
	})
	switch {
	case errors.Is(err, errTooMany):
		s.whole = false
		s.paths = nil
		return err.Error()
	case err != nil:
		s.format, s.paths = media.Text, nil
		return ""
	}
	_ = s.parse(s.baseline, func(n *node) { s.said[at{n.path, n.meaning()}] = true }) // as far as it can be read
	return ""
}

// parse finds the JSON in a body.
func (s *subject) parse(body []byte, add func(*node)) error {
	switch s.format {
	case media.JSON:
		root, err := parse(body, 0, "$")
		if err != nil {
			return err
		}
		root.each(add)
	case media.JSONLines, media.EventStream:
		path, before := "$[]", ""
		if s.format == media.EventStream {
			path, before = "$[].data", "data:"
		}
		for at, line := range lines(body) {
			text, ok := bytes.CutPrefix(line, []byte(before))
			if !ok || len(bytes.TrimSpace(text)) == 0 {
				continue
			}
			root, err := parse(text, at+len(line)-len(text), path)
			if err != nil && !errors.Is(err, errTooMany) && before != "" {
				continue // its data is text
			}
			if err != nil {
				return err
			}
			root.each(add)
		}
	}
	return nil
}

// lines gives the lines of a text, without what they end with, by where they
// begin.
func lines(text []byte) func(yield func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		for at := 0; at < len(text); {
			line, _, _ := bytes.Cut(text[at:], []byte("\n"))
			if !yield(at, bytes.TrimRight(line, "\r")) {
				return
			}
			at += len(line) + 1
		}
	}
}

// known says that what a value ought to be stands in the record: the sides do
// not differ there, and it is what the baseline said or a name that was known
// before. What the candidate alone has made up can be anything.
func (s *subject) known(n *node) bool {
	if !s.clean(n.path) {
		return false
	}
	if s.said[at{n.path, n.meaning()}] {
		return true
	}
	for _, p := range s.pairs {
		if p.GetCandidate() == n.text && p.GetLearnedFrom() != s.replay.GetExchange().GetId() {
			return true
		}
	}
	return false
}

// clean says that the sides do not differ at a path, nor in a document in its
// text.
func (s *subject) clean(path string) bool {
	if s.marked[path] {
		return false
	}
	for p := range s.marked {
		if strings.HasPrefix(p, path+"(") || strings.HasPrefix(p, path+";") {
			return false
		}
	}
	return true
}

// maxTries bounds the paths that are tried for one kind.
const maxTries = 256

// choose gives at most n of the places at which f can plant a fault, of each
// path at most one.
func (s *subject) choose(n int, f func(*node) (splices []splice, path string)) []plant {
	var out []plant
	for tried, i := range s.random.Perm(len(s.paths)) {
		if len(out) == n || tried == maxTries {
			break
		}
		all := s.byPath[s.paths[i]]
		at := all[s.random.IntN(len(all))]
		if splices, path := f(at); len(splices) > 0 {
			out = append(out, s.inBody(path, splices...))
		}
	}
	return out
}

// inBody is a fault that changes the body.
func (s *subject) inBody(path string, splices ...splice) plant {
	after := edited(s.body, splices...)
	return plant{
		place: comparator.InBody, path: path, unreal: s.same(after),
		put: func(r *understudyv1.Replay) {
			final, _ := finalOf(r)
			setBody(final, after, s.coding)
		},
	}
}

// same says that another body means the same.
func (s *subject) same(after []byte) bool {
	switch s.format {
	case media.JSON:
		return sameJSON(s.body, after)
	case media.JSONLines:
		a, b := slices.Collect(values(lines(s.body))), slices.Collect(values(lines(after)))
		return slices.EqualFunc(a, b, sameJSON)
	}
	return bytes.Equal(bytes.TrimSpace(s.body), bytes.TrimSpace(after))
}

func values(all func(func(int, []byte) bool)) func(func([]byte) bool) {
	return func(yield func([]byte) bool) { all(func(_ int, v []byte) bool { return yield(v) }) }
}

// setBody gives an answer another body, and a Content-Length that is right as
// far as it was.
func setBody(r *understudyv1.Response, body []byte, coding string) {
	content, err := encode(body, coding)
	if err != nil {
		return // it was tried before
	}
	before := r.GetBody()
	r.Body = message.BodyOf(content)
	if before.GetDeclaredLength() < 0 {
		r.Body.DeclaredLength = -1
	}
	for _, h := range r.GetHeaders() {
		if strings.EqualFold(h.GetName(), "Content-Length") && string(h.GetValue()) == strconv.FormatInt(before.GetLength(), 10) {
			h.Value = strconv.AppendInt(nil, int64(len(content)), 10)
		}
	}
}

// encode puts a content coding on a body.
func encode(body []byte, coding string) ([]byte, error) {
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		z, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		w = z
	default:
		return nil, fmt.Errorf("%w %q", message.ErrUnknownCoding, coding)
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}
