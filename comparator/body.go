package comparator

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"understudy.dev/comparator/diff"
	"understudy.dev/comparator/media"
	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Incomparable is the noise class of bodies that cannot be compared: they do
// not count as different, and nobody takes them for equal.
const Incomparable = "incomparable"

// bodies compares the two bodies as what they are.
func (x *comparing) bodies() {
	j, emit, baseline, final := x.j, x.emit, x.baseline, x.final
	b, f := baseline.GetBody(), final.GetBody()
	if b.GetTruncated() || f.GetTruncated() {
		j.compareCut(emit, baseline, final)
		return
	}
	if bytes.Equal(b.GetContent(), f.GetContent()) && sameMeaning(baseline, final) && x.translator.Idle() {
		return
	}
	bt, errB := j.decoded(baseline) // nil with an error
	ft, errF := j.decoded(final)
	is := func(content []byte, err error) bool { return unknowable(err) || err == nil && len(content) > 0 }
	none := func(content []byte, err error) bool { return err == nil && len(content) == 0 }
	switch {
	case none(bt, errB) && none(ft, errF):
	case is(bt, errB) && none(ft, errF):
		whole(emit, Difference{Kind: Missing, Baseline: sample(bt) + errText(errB)})
	case none(bt, errB) && is(ft, errF):
		whole(emit, Difference{Kind: Extra, Candidate: sample(ft) + errText(errF)})
	case unknowable(errB) || unknowable(errF):
		j.compareUnknowable(emit, baseline, final, lengthText(bt, errB), lengthText(ft, errF))
	case errB != nil || errF != nil:
		whole(emit, Difference{Kind: Unparsable, Baseline: errText(errB), Candidate: errText(errF)})
	default:
		x.media(bt, ft)
	}
}

// sameMeaning: the same bytes would mean the same in both.
func sameMeaning(baseline, final *understudyv1.Response) bool {
	return contentEncoding(baseline) == contentEncoding(final) && media.SameCharset(contentType(baseline), contentType(final))
}

// unknowable: the content is there and cannot be looked at.
func unknowable(err error) bool {
	return errors.Is(err, message.ErrTooLong) || errors.Is(err, message.ErrUnknownCoding)
}

func contentEncoding(r *understudyv1.Response) string {
	return message.Joined(r.GetHeaders(), "Content-Encoding")
}

func contentType(r *understudyv1.Response) string {
	return message.First(r.GetHeaders(), "Content-Type")
}

// decoded removes the content codings, within the bound.
func (j *Judge) decoded(r *understudyv1.Response) ([]byte, error) {
	body, err := message.Decode(r.GetBody().GetContent(), contentEncoding(r), j.cfg.MaxDecoded)
	if err != nil {
		return nil, err
	}
	return body, nil
}

// whole reports a difference of the bodies as a whole.
func whole(emit emitter, d Difference) {
	d.Place, d.Path, d.Location = InBody, "$", "$"
	emit(d, noise.Value{}, noise.Value{}, "")
}

// media opens two bodies by their media types and compares what is in
// them. Bodies of which neither is what its type says are compared as text.
func (x *comparing) media(b, f []byte) {
	j, emit, r, baseline, final := x.j, x.emit, x.r, x.baseline, x.final
	at := func(open opener) (bd, fd media.Document, errB, errF error) {
		method := string(r.GetExchange().GetRequest().GetTarget())
		bd, errB = open(contentType(baseline), b, j.mediaOptions(method, baseline))
		fd, errF = open(contentType(final), f, j.mediaOptions(method, final))
		return
	}
	bd, fd, errB, errF := at(media.Open)
	if errB == nil && errF == nil {
		if bd.Format != fd.Format {
			whole(emit, Difference{Kind: Type, Baseline: bd.Format + ": " + sample(b), Candidate: fd.Format + ": " + sample(f)})
			return
		}
		errB, errF = x.documents(bd, fd)
	}
	if errB != nil && errF != nil && !beyond(errB) && !beyond(errF) {
		if bd, fd, errB, errF = at(media.OpenPlain); errB == nil && errF == nil {
			errB, errF = x.documents(bd, fd)
		}
	}
	switch {
	case beyond(errB) || beyond(errF):
		whole(emit, Difference{Kind: Truncated, Noise: Incomparable, Baseline: errText(errB), Candidate: errText(errF)})
	case errB != nil:
		whole(emit, Difference{Kind: Unparsable, Baseline: errText(errB), Candidate: sample(f)})
	case errF != nil:
		whole(emit, Difference{Kind: Unparsable, Baseline: sample(b), Candidate: errText(errF)})
	}
}

type opener func(contentType string, body []byte, o media.Options) (media.Document, error)

func (j *Judge) mediaOptions(method string, r *understudyv1.Response) media.Options {
	return media.Options{Method: method, Encoding: message.First(r.GetHeaders(), "Grpc-Encoding"), Descriptors: j.descriptors}
}

// beyond: a limit ended the search, so nothing is known.
func beyond(err error) bool {
	return errors.Is(err, media.ErrLimit) || errors.Is(err, diff.ErrLimit)
}

// documents compares two documents of one format, the baseline's in the
// candidate's names. The errors say which
// of them cannot be read; then nothing was reported.
func (x *comparing) documents(b, f media.Document) (errB, errF error) {
	more := true
	translate := x.translator.JSON
	switch b.Format {
	case media.JSON, media.JSONLines, media.EventStream, media.Multipart:
	default:
		translate = x.translator.Document
	}
	translated := translate(b.JSON)
	x.opened = &opened{b, f, translated}
	err := diff.JSON(translated, f.JSON, x.options(), func(d diff.Difference) bool {
		more = x.place(b, f, d)
		return more
	})
	if side := (*diff.SideError)(nil); errors.As(err, &side) {
		if side.Side == "candidate" {
			return nil, side.Err
		}
		return side.Err, diff.Valid(f.JSON)
	}
	if more {
		x.asides(b.Aside, f.Aside)
	}
	return nil, nil
}

// place reports a place of the documents in words of the bodies.
func (x *comparing) place(b, f media.Document, d diff.Difference) bool {
	doc, location := b, d.Location()
	if d.Kind == diff.Extra {
		doc = f
	}
	bv, fv := d.Baseline.Text(), d.Candidate.Text()
	out := Difference{
		Place: InBody, Path: d.Path(), Location: doc.Place(location), Kind: Kind(d.Kind), Baseline: bv, Candidate: fv,
	}
	switch {
	case d.Kind == diff.Type:
		// The quotes are the difference.
		out.Baseline, out.Candidate = string(d.Baseline.Raw), string(d.Candidate.Raw)
	case d.Kind == diff.Value && isFingerprint(bv) && isFingerprint(fv):
		out.Kind = Body
	}
	path := d.Names()
	if name := doc.Name(location, d.Key()); len(path) == 0 || path[len(path)-1] != name {
		path = append(path, name)
	}
	return x.emitAt(out, value(d.Baseline, bv), value(d.Candidate, fv), path)
}

var fingerprintText = regexp.MustCompile(`^(compressed, )?\d+ bytes, sha256 [0-9a-f]{64}$`)

func isFingerprint(s string) bool { return len(s) < 120 && fingerprintText.MatchString(s) }

// asides reports what default rules keep out of documents, so that
// nothing is passed over in silence.
func (x *comparing) asides(b, f []media.Aside) {
	texts := func(as []media.Aside, rule string) string {
		var out []string
		for _, a := range as {
			if a.Rule == rule {
				out = append(out, a.Text)
			}
		}
		if len(out) == 0 && rule == media.Charset {
			return "utf-8" // of JSON, which says nothing of it
		}
		return strings.Join(out, "; ")
	}
	var seen []string
	for _, a := range slices.Concat(b, f) {
		if slices.Contains(seen, a.Rule) {
			continue
		}
		seen = append(seen, a.Rule)
		d := Difference{
			Place: InBody, Path: "$", Location: "$", Kind: Value, Noise: x.rs.defaults.class(a.Rule),
			Baseline: texts(b, a.Rule), Candidate: texts(f, a.Rule),
		}
		if d.Baseline != d.Candidate && !x.emit(d, noise.Value{}, noise.Value{}, "") {
			return
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func sample(b []byte) string {
	if utf8.Valid(b) {
		return string(b[:min(len(b), 2*maxText)])
	}
	if len(b) == 0 {
		return ""
	}
	return media.Fingerprint(b)
}

// value gives only numbers and strings to the noise classes.
func value(s diff.Scalar, text string) noise.Value {
	switch s.Type {
	case "number":
		return noise.Value{Text: text, Number: true}
	case "string":
		return noise.Value{Text: text}
	}
	return noise.Value{}
}
