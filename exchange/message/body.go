package message

import (
	"crypto/sha256"
	"hash"
	"strconv"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// DefaultCaptureLimit is how many bytes of a body are kept where the
// configuration does not say it. Recorder, importer and replayer share it, so
// that two whole bodies are compared.
const DefaultCaptureLimit = 512 << 10

// firstBuffer is the most that a declared length alone makes a capture
// allocate: the length may be untrue.
const firstBuffer = 16 << 10

// Capture keeps the first bytes of a body that passes and counts all of them.
// The SHA-256 is of the whole body: it is computed as the body passes only
// when that outgrows what is kept, else when the Body is filled. A Capture has
// one user at a time.
type Capture struct {
	limit    int64
	declared int64
	kept     []byte
	length   int64
	rest     hash.Hash // nil until something is not kept
	dropped  bool      // nothing more is kept or hashed
}

// Expect sets how many bytes are kept, and the length that the message
// declared, -1 when it declared none. It comes before the first Write.
func (c *Capture) Expect(limit, declared int64) { c.limit, c.declared = limit, declared }

// Declare corrects the declared length.
func (c *Capture) Declare(length int64) { c.declared = length }

// Declared is the length that the message declared, -1 when it declared none.
func (c *Capture) Declared() int64 { return c.declared }

// Length is how many bytes have passed.
func (c *Capture) Length() int64 { return c.length }

// Cut reports whether bytes have passed that are not kept.
func (c *Capture) Cut() bool { return c.rest != nil || c.dropped }

// Held is how many bytes of memory the content takes.
func (c *Capture) Held() int64 { return int64(cap(c.kept)) }

// Need is what Held will be after n more bytes.
func (c *Capture) Need(n int) int64 {
	if c.Cut() {
		return c.Held()
	}
	need := min(int64(len(c.kept)+n), c.limit)
	if need <= c.Held() {
		return c.Held()
	}
	grown := max(need, min(2*c.Held(), c.limit))
	switch {
	case c.declared > grown && c.declared <= firstBuffer:
		grown = min(c.declared, c.limit)
	case c.declared >= need:
		grown = min(grown, c.declared)
	}
	return grown
}

// Stop keeps nothing of what comes after; it is counted and hashed.
func (c *Capture) Stop() {
	if c.rest == nil {
		c.rest = sha256.New()
		_, _ = c.rest.Write(c.kept)
	}
}

// Abandon keeps nothing of what comes after and has no hash: it is counted
// only, so that a lack of memory does not cost the live path time besides.
func (c *Capture) Abandon() { c.dropped, c.rest = true, nil }

// Write takes the next bytes of the body. It never fails.
func (c *Capture) Write(p []byte) (int, error) {
	n := len(p)
	c.length += int64(n)
	if c.dropped {
		return n, nil
	}
	if c.rest == nil {
		keep := p[:min(int64(n), c.limit-int64(len(c.kept)))]
		if size := c.Need(len(keep)); size > c.Held() {
			c.kept = append(make([]byte, 0, size), c.kept...)
		}
		c.kept = append(c.kept, keep...)
		if p = p[len(keep):]; len(p) == 0 {
			return n, nil
		}
		c.Stop()
	}
	_, _ = c.rest.Write(p)
	return n, nil
}

// Fill puts what was captured into b, which then owns the content. whole says
// that the body was seen to its end; otherwise it has no hash.
func (c *Capture) Fill(b *understudyv1.Body, whole bool) {
	b.Content, b.DeclaredLength, b.Length, b.Truncated = c.kept, c.declared, c.length, c.Cut() || !whole
	switch {
	case !whole || c.length == 0 || c.dropped:
	case c.rest != nil:
		b.Sha256 = c.rest.Sum(nil)
	default:
		b.Sha256 = digest(c.kept)
	}
}

// BodyOf is the Body of content that is whole and whose length was declared.
func BodyOf(content []byte) *understudyv1.Body {
	n := int64(len(content))
	b := &understudyv1.Body{Content: content, DeclaredLength: n, Length: n}
	if n > 0 {
		b.Sha256 = digest(content)
	}
	return b
}

// CutBody leaves no more than limit bytes of the content.
func CutBody(b *understudyv1.Body, limit int64) {
	if int64(len(b.Content)) > limit {
		b.Content, b.Truncated = b.Content[:limit], true
	}
}

func digest(content []byte) []byte {
	sum := sha256.Sum256(content)
	return sum[:]
}

// DeclaredLength is the length that the values of Content-Length declare, -1
// when none of them is one.
func DeclaredLength(contentLength []string) int64 {
	for _, v := range contentLength {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && n >= 0 {
			return n
		}
	}
	return -1
}
