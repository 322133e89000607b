package comparator

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"understudy.dev/comparator/media"
	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// compareCut compares bodies of which one is not whole. Equal hashes of the
// whole are equality; that only one can be read, other lengths, and other hashes of media of which nothing
// but the bytes is compared, are a difference. Anything else cannot be judged.
func (j *Judge) compareCut(emit emitter, baseline, final *understudyv1.Response) {
	b, f := baseline.GetBody(), final.GetBody()
	hashes := len(b.GetSha256()) > 0 && len(f.GetSha256()) > 0 && b.GetDigestKey() == f.GetDigestKey()
	d := Difference{Kind: Truncated, Baseline: kept(b), Candidate: kept(f)}
	switch {
	case hashes && bytes.Equal(b.GetSha256(), f.GetSha256()) && sameMeaning(baseline, final):
		return
	case b.GetLength() > 0 && !f.GetTruncated() && f.GetLength() == 0:
		d.Kind, d.Candidate = Missing, ""
	case f.GetLength() > 0 && !b.GetTruncated() && b.GetLength() == 0:
		d.Kind, d.Baseline = Extra, ""
	case b.GetUnreadable() != f.GetUnreadable():
		d.Kind, d.Baseline, d.Candidate = Unparsable, readable(baseline), readable(final)
	case hashes && opaque(baseline) && opaque(final):
		d.Kind, d.Baseline, d.Candidate = Body, hashed(b), hashed(f)
	case (lengths{j, baseline}).differ(lengths{j, final}):
	default:
		d.Noise = Incomparable
	}
	whole(emit, d)
}

// compareUnknowable compares bodies of which one cannot be looked at, by what
// their lengths prove.
func (j *Judge) compareUnknowable(emit emitter, baseline, final *understudyv1.Response, b, f string) {
	d := Difference{Kind: Truncated, Baseline: b, Candidate: f}
	if !(lengths{j, baseline}).differ(lengths{j, final}) {
		d.Noise = Incomparable
	}
	whole(emit, d)
}

func kept(b *understudyv1.Body) string {
	return fmt.Sprintf("%d of %d bytes kept", len(b.GetContent()), b.GetLength())
}

// readable says of a body that no client can read why, and else what is kept.
func readable(r *understudyv1.Response) string {
	if r.GetBody().GetUnreadable() {
		return fmt.Sprintf("content coding %s: cannot be undone", contentEncoding(r))
	}
	return kept(r.GetBody())
}

func hashed(b *understudyv1.Body) string {
	return fmt.Sprintf("%d bytes, sha256 %x", b.GetLength(), b.GetSha256())
}

// opaque: media whose bytes alone are compared, and without a content coding.
func opaque(r *understudyv1.Response) bool {
	return contentEncoding(r) == "" && media.IsOpaque(message.MediaType(contentType(r)))
}

// lengths are what is known of how long the content of a body is.
type lengths struct {
	judge *Judge
	of    *understudyv1.Response
}

// differ: no length is possible on both sides.
func (l lengths) differ(other lengths) bool {
	least, most := l.bounds()
	leastOther, mostOther := other.bounds()
	return least > mostOther || leastOther > most
}

// codingOverhead is what a content coding adds at most to content that it
// cannot make shorter, in bytes; more than that is allowed for by a factor of
// two.
const codingOverhead = 1 << 10

// bounds of the length without content codings, in bytes.
func (l lengths) bounds() (least, most int64) {
	b, coding := l.of.GetBody(), contentEncoding(l.of)
	switch {
	case b.GetTruncated() && len(l.of.GetHeaders()) == 0:
		return 1, math.MaxInt64 // a log, which does not know the coding either
	case b.GetTruncated() && coding != "":
		return max(1, (b.GetLength()-codingOverhead)/2), math.MaxInt64
	case b.GetTruncated() && len(b.GetSha256()) == 0:
		return b.GetLength(), math.MaxInt64 // it was not seen to its end
	case b.GetTruncated():
		return b.GetLength(), b.GetLength()
	}
	content, err := l.judge.decoded(l.of)
	switch {
	case err == nil:
		return int64(len(content)), int64(len(content))
	case errors.Is(err, message.ErrTooLong):
		return l.judge.cfg.MaxDecoded + 1, math.MaxInt64
	}
	return 0, math.MaxInt64
}

// lengthText says how long a body is, or why nobody knows.
func lengthText(content []byte, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d bytes", len(content))
}
