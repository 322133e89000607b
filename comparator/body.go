package comparator

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"understudy.dev/comparator/diff"
	"understudy.dev/comparator/noise"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Incomparable is the noise class of bodies of which one was cut: they do not
// count as different, and nobody takes them for equal.
const Incomparable = "incomparable"

// compareBodies compares two bodies as what they are.
func (j *Judge) compareBodies(emit emitter, rs rules, baseline, final *understudyv1.Response) {
	b, f := baseline.GetBody(), final.GetBody()
	if b.GetTruncated() || f.GetTruncated() {
		truncated(emit, b, f)
		return
	}
	if bytes.Equal(b.GetContent(), f.GetContent()) {
		return
	}
	bt, errB := j.decoded(baseline)
	ft, errF := j.decoded(final)
	if errB != nil || errF != nil {
		emit(Difference{Place: InBody, Path: "$", Location: "$", Kind: Unparsable, Baseline: errText(errB), Candidate: errText(errF)},
			noise.Value{}, noise.Value{}, "")
		return
	}
	if bytes.Equal(bt, ft) {
		return
	}
	bk, fk := bodyKind(baseline, bt), bodyKind(final, ft)
	switch {
	case len(bt) == 0 || len(ft) == 0:
		kind := Missing
		if len(bt) == 0 {
			kind = Extra
		}
		emit(Difference{Place: InBody, Path: "$", Location: "$", Kind: kind, Baseline: sample(bt), Candidate: sample(ft)},
			noise.Value{}, noise.Value{}, "")
	case bk == asJSON && fk == asJSON:
		compareJSON(emit, rs, bt, ft)
	case bk == asForm && fk == asForm:
		compareForm(emit, bt, ft)
	case bk != asBinary && fk != asBinary:
		compareText(emit, bt, ft)
	default:
		emit(Difference{Place: InBody, Path: "$", Location: "$", Kind: Body, Baseline: fingerprint(bt), Candidate: fingerprint(ft)},
			noise.Value{}, noise.Value{}, "")
	}
}

// truncated handles bodies that are not whole: equal hashes of the whole are
// equality, anything else cannot be judged.
func truncated(emit emitter, b, f *understudyv1.Body) {
	if len(b.GetSha256()) > 0 && bytes.Equal(b.GetSha256(), f.GetSha256()) {
		return
	}
	emit(Difference{
		Place: InBody, Path: "$", Location: "$", Kind: Truncated, Noise: Incomparable,
		Baseline:  fmt.Sprintf("%d of %d bytes kept", len(b.GetContent()), b.GetLength()),
		Candidate: fmt.Sprintf("%d of %d bytes kept", len(f.GetContent()), f.GetLength()),
	}, noise.Value{}, noise.Value{}, "")
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

func header(r *understudyv1.Response, name string) string {
	for _, h := range r.GetHeaders() {
		if strings.EqualFold(h.GetName(), name) {
			return string(h.GetValue())
		}
	}
	return ""
}

var errTooLong = errors.New("body is longer than allowed after decoding")

// decoded removes the content codings, within the bound.
func (j *Judge) decoded(r *understudyv1.Response) ([]byte, error) {
	data := r.GetBody().GetContent()
	codings := strings.Split(strings.ToLower(header(r, "Content-Encoding")), ",")
	for i := len(codings) - 1; i >= 0 && len(data) > 0; i-- {
		var rd io.Reader
		var err error
		switch coding := strings.TrimSpace(codings[i]); coding {
		case "", "identity":
			continue
		case "gzip", "x-gzip":
			rd, err = gzip.NewReader(bytes.NewReader(data))
		case "deflate": // zlib by RFC 9110, raw deflate by custom
			if rd, err = zlib.NewReader(bytes.NewReader(data)); err != nil {
				rd, err = flate.NewReader(bytes.NewReader(data)), nil
			}
		case "zstd":
			var z *zstd.Decoder
			z, err = zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(j.cfg.MaxDecoded)))
			if err == nil {
				defer z.Close()
				rd = z
			}
		default:
			return data, nil // compared as the bytes they are
		}
		if err == nil {
			data, err = io.ReadAll(io.LimitReader(rd, j.cfg.MaxDecoded+1))
		}
		if err != nil {
			return nil, fmt.Errorf("content coding %s: %w", codings[i], err)
		}
		if int64(len(data)) > j.cfg.MaxDecoded {
			return nil, errTooLong
		}
	}
	return data, nil
}

type bodyForm int

const (
	asText bodyForm = iota
	asJSON
	asForm
	asBinary
)

func isJSON(kind string) bool {
	return kind == "application/json" || strings.HasSuffix(kind, "+json") || kind == "text/json"
}

// bodyKind goes by the Content-Type and, where it says nothing, by the bytes.
func bodyKind(r *understudyv1.Response, data []byte) bodyForm {
	kind, _, _ := mime.ParseMediaType(header(r, "Content-Type"))
	switch {
	case isJSON(kind):
		return asJSON
	case kind == "application/x-www-form-urlencoded":
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

func compareJSON(emit emitter, rs rules, b, f []byte) {
	err := diff.JSON(b, f, diff.Options{Arrays: rs.arrays}, func(d diff.Difference) bool {
		bv, fv := d.Baseline.Text(), d.Candidate.Text()
		out := Difference{
			Place: InBody, Path: d.Path(), Location: d.Location(), Kind: Kind(d.Kind), Baseline: bv, Candidate: fv,
		}
		if d.Kind == diff.Type {
			// The quotes are the difference.
			out.Baseline, out.Candidate = string(d.Baseline.Raw), string(d.Candidate.Raw)
		}
		return emit(out, value(d.Baseline, bv), value(d.Candidate, fv), d.Key())
	})
	var side *diff.SideError
	if errors.As(err, &side) {
		d := Difference{Place: InBody, Path: "$", Location: "$", Kind: Unparsable, Baseline: sample(b), Candidate: sample(f)}
		if side.Side == "baseline" {
			d.Baseline = side.Err.Error()
		} else {
			d.Candidate = side.Err.Error()
		}
		emit(d, noise.Value{}, noise.Value{}, "")
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

// compareForm compares fields by name; the values of one name in their order.
func compareForm(emit emitter, b, f []byte) {
	bs, errB := url.ParseQuery(string(b))
	fs, errF := url.ParseQuery(string(f))
	if errB != nil || errF != nil {
		compareText(emit, b, f)
		return
	}
	var names []string
	for name := range bs {
		names = append(names, name)
	}
	for name := range fs {
		if !bs.Has(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if slices.Equal(bs[name], fs[name]) {
			continue
		}
		d := Difference{Place: InBody, Path: "$." + name, Location: "$." + name, Kind: Value,
			Baseline: strings.Join(bs[name], "\n"), Candidate: strings.Join(fs[name], "\n")}
		switch {
		case !fs.Has(name):
			d.Kind = Missing
		case !bs.Has(name):
			d.Kind = Extra
		}
		if !emit(d, noise.Value{Text: d.Baseline}, noise.Value{Text: d.Candidate}, name) {
			return
		}
	}
}

// maxLines is how many differing lines of a text are reported.
const maxLines = 20

// compareText compares line by line, the ends of lines and blanks at them
// apart.
func compareText(emit emitter, b, f []byte) {
	bs, fs := strings.Split(string(b), "\n"), strings.Split(string(f), "\n")
	reported := 0
	for i := range max(len(bs), len(fs)) {
		d := Difference{Place: InBody, Path: "$", Location: fmt.Sprintf("line %d", i+1), Kind: Body}
		if i < len(bs) {
			d.Baseline = strings.TrimRight(bs[i], " \t\r")
		}
		if i < len(fs) {
			d.Candidate = strings.TrimRight(fs[i], " \t\r")
		}
		if d.Baseline == d.Candidate {
			continue
		}
		if reported++; reported > maxLines || !emit(d, noise.Value{}, noise.Value{}, "") {
			return
		}
	}
}
