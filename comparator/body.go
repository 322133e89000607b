package comparator

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"understudy.dev/comparator/diff"
	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Incomparable is the noise class of bodies of which one was cut: they do not
// count as different, and nobody takes them for equal.
const Incomparable = "incomparable"

// compareBodies compares two bodies as what they are.
func (x *comparing) bodies() {
	j, emit, baseline, final := x.j, x.emit, x.baseline, x.final
	b, f := baseline.GetBody(), final.GetBody()
	if b.GetTruncated() || f.GetTruncated() {
		truncated(emit, baseline, final)
		return
	}
	if bytes.Equal(b.GetContent(), f.GetContent()) && contentEncoding(baseline) == contentEncoding(final) && x.translator.Idle() {
		return
	}
	bt, errB := j.decoded(baseline)
	ft, errF := j.decoded(final)
	switch {
	case errors.Is(errB, message.ErrTooLong) || errors.Is(errF, message.ErrTooLong):
		whole(emit, Difference{Kind: Truncated, Noise: Incomparable, Baseline: errText(errB), Candidate: errText(errF)})
	case errB != nil || errF != nil:
		whole(emit, Difference{Kind: Unparsable, Baseline: errText(errB), Candidate: errText(errF)})
	case !bytes.Equal(bt, ft) || len(bt) > 0 && !x.translator.Idle():
		x.compareDecoded(bt, ft)
	}
}

func contentEncoding(r *understudyv1.Response) string {
	return message.Joined(r.GetHeaders(), "Content-Encoding")
}

func mediaType(r *understudyv1.Response) string {
	return message.MediaType(message.Joined(r.GetHeaders(), "Content-Type"))
}

// decoded removes the content codings, within the bound. A body with a coding
// that is not known is compared as it is.
func (j *Judge) decoded(r *understudyv1.Response) ([]byte, error) {
	body, err := message.Decode(r.GetBody().GetContent(), contentEncoding(r), j.cfg.MaxDecoded)
	if errors.Is(err, message.ErrUnknownCoding) {
		return body, nil
	}
	return body, err
}

// whole reports a difference of the bodies as a whole.
func whole(emit emitter, d Difference) {
	d.Place, d.Path, d.Location = InBody, "$", "$"
	emit(d, noise.Value{}, noise.Value{}, "")
}

func (x *comparing) compareDecoded(b, f []byte) {
	emit, baseline, final := x.emit, x.baseline, x.final
	bk, fk := bodyKind(baseline, b), bodyKind(final, f)
	switch {
	case len(f) == 0:
		whole(emit, Difference{Kind: Missing, Baseline: sample(b)})
	case len(b) == 0:
		whole(emit, Difference{Kind: Extra, Candidate: sample(f)})
	case bk == asJSON && fk == asJSON:
		x.compareJSON(b, f)
	case bk == asForm && fk == asForm:
		compareForm(emit, b, f)
	case bk != asBinary && fk != asBinary:
		compareText(emit, b, f)
	default:
		whole(emit, Difference{Kind: Body, Baseline: fingerprint(b), Candidate: fingerprint(f)})
	}
}

// truncated handles bodies that are not whole: equal hashes of the whole are
// equality, and a body that is there is not one that is not. Other hashes are a
// difference only where nothing but the bytes is compared; anything else cannot
// be judged.
func truncated(emit emitter, baseline, final *understudyv1.Response) {
	b, f := baseline.GetBody(), final.GetBody()
	hashes := len(b.GetSha256()) > 0 && len(f.GetSha256()) > 0
	kept := func(x *understudyv1.Body) string {
		return fmt.Sprintf("%d of %d bytes kept", len(x.GetContent()), x.GetLength())
	}
	switch {
	case hashes && bytes.Equal(b.GetSha256(), f.GetSha256()):
	case b.GetLength() > 0 && !f.GetTruncated() && f.GetLength() == 0:
		whole(emit, Difference{Kind: Missing, Baseline: kept(b)})
	case f.GetLength() > 0 && !b.GetTruncated() && b.GetLength() == 0:
		whole(emit, Difference{Kind: Extra, Candidate: kept(f)})
	case hashes && opaque(baseline) && opaque(final):
		whole(emit, Difference{Kind: Body, Baseline: hashed(b), Candidate: hashed(f)})
	default:
		whole(emit, Difference{Kind: Truncated, Noise: Incomparable, Baseline: kept(b), Candidate: kept(f)})
	}
}

// opaque: media whose bytes alone are compared, and without a content coding.
func opaque(r *understudyv1.Response) bool {
	kind := mediaType(r)
	major, _, _ := strings.Cut(kind, "/")
	switch {
	case contentEncoding(r) != "", message.IsXML(kind):
		return false
	case major == "image", major == "audio", major == "video", major == "font":
		return true
	}
	return kind == "application/pdf" || kind == "application/zip" || kind == "application/gzip"
}

func hashed(b *understudyv1.Body) string {
	return fmt.Sprintf("%d bytes, sha256 %x", b.GetLength(), b.GetSha256())
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func fingerprint(b []byte) string {
	return fmt.Sprintf("%d bytes, sha256 %x", len(b), sha256.Sum256(b))
}

func sample(b []byte) string {
	if utf8.Valid(b) {
		return string(b[:min(len(b), 2*maxText)])
	}
	if len(b) == 0 {
		return ""
	}
	return fingerprint(b)
}

type bodyForm int

const (
	asText bodyForm = iota
	asJSON
	asForm
	asBinary
)

// bodyKind goes by the Content-Type and, where it says nothing, by the bytes.
func bodyKind(r *understudyv1.Response, data []byte) bodyForm {
	kind := mediaType(r)
	switch {
	case message.IsJSON(kind):
		return asJSON
	case message.IsForm(kind):
		return asForm
	case kind == "" || kind == "text/plain" || kind == "application/octet-stream":
		if c := bytes.TrimLeft(data, " \t\r\n"); len(c) > 0 && (c[0] == '{' || c[0] == '[') && diff.Valid(data) == nil {
			return asJSON
		}
	}
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return asBinary
	}
	return asText
}

func (x *comparing) compareJSON(b, f []byte) {
	err := diff.JSON(x.translator.JSON(b), f, x.options(), func(d diff.Difference) bool {
		bv, fv := d.Baseline.Text(), d.Candidate.Text()
		out := Difference{
			Place: InBody, Path: d.Path(), Location: d.Location(), Kind: Kind(d.Kind), Baseline: bv, Candidate: fv,
		}
		if d.Kind == diff.Type {
			// The quotes are the difference.
			out.Baseline, out.Candidate = string(d.Baseline.Raw), string(d.Candidate.Raw)
		}
		return x.emitAt(out, value(d.Baseline, bv), value(d.Candidate, fv), d.Names())
	})
	var side *diff.SideError
	if errors.As(err, &side) {
		d := Difference{Kind: Unparsable, Baseline: sample(b), Candidate: sample(f)}
		if side.Side == "baseline" {
			d.Baseline = side.Err.Error()
		} else {
			d.Candidate = side.Err.Error()
		}
		whole(x.emit, d)
	}
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
