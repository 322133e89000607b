// Package curl writes a recorded request as a curl command for a POSIX shell.
package curl

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/redact"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// maxArgument is the longest body that is an argument, in bytes: Linux takes
// 128 KiB. A longer one, as one that is no text, comes from printf.
const maxArgument = 64 << 10

// Command is a command that sends the request as it was recorded, and remarks
// about what it cannot send so. It holds no character that a terminal acts on.
func Command(q *understudyv1.Request) (command string, remarks []string) {
	c := &builder{q: q}
	c.address()
	c.headers()
	c.body()
	if len(q.GetTrailers()) > 0 {
		c.remark("curl sends no trailers; the request had %d", len(q.GetTrailers()))
	}
	return c.before + "curl " + strings.Join(c.words, " \\\n  ") + "\n", c.remarks
}

type builder struct {
	q       *understudyv1.Request
	before  string // what is piped into curl
	words   []string
	remarks []string
}

func (c *builder) remark(format string, args ...any) {
	c.remarks = append(c.remarks, fmt.Sprintf(format, args...))
}

func (c *builder) add(option, value string) { c.words = append(c.words, option+" "+quote(value)) }

func (c *builder) address() {
	target, ok := message.OriginForm(string(c.q.GetTarget()))
	if !ok {
		target = "/"
		c.add("--request-target", string(c.q.GetTarget()))
	}
	if redact.HasToken(target) {
		c.remark("the target holds tokens in the place of secrets (rdx_…)")
	}
	scheme := c.q.GetScheme()
	if scheme == "" {
		scheme = "http"
	}
	authority := c.q.GetAuthority()
	if authority == "" {
		authority = "HOST"
		c.remark("the recording does not say the host: put it in the place of HOST")
	}
	switch c.q.GetMethod() {
	case "HEAD": // with -X curl would wait for a body
		c.words = append(c.words, "--head")
	default:
		c.add("-X", c.q.GetMethod())
	}
	// Brackets and braces are no patterns, dots no steps.
	c.words = append(c.words, "--globoff --path-as-is", quote(scheme+"://"+authority+target))
}

func (c *builder) headers() {
	has := map[string]bool{}
	for _, h := range c.q.GetHeaders() {
		name, value := strings.ToLower(h.GetName()), string(h.GetValue())
		switch {
		case !message.IsToken(h.GetName()) || strings.ContainsAny(value, "\r\n\x00"):
			c.remark("a header that cannot be sent is left out")
			continue
		case name == "host" || name == "content-length" || message.IsHopByHop(http.CanonicalHeaderKey(h.GetName())):
			continue
		}
		has[name] = true
		if redact.HasToken(value) {
			c.remark("%s holds a token in the place of a secret (rdx_…)", h.GetName())
		}
		if strings.TrimSpace(value) == "" {
			c.add("-H", h.GetName()+";")
		} else {
			c.add("-H", h.GetName()+": "+value)
		}
	}
	own := []string{"Accept", "User-Agent"}
	if c.q.GetBody().GetLength() > 0 {
		own = append(own, "Content-Type")
	}
	for _, name := range own {
		if !has[strings.ToLower(name)] {
			c.add("-H", name+":") // curl would send its own
		}
	}
	if has["accept-encoding"] {
		c.words = append(c.words, "--compressed")
	}
}

func (c *builder) body() {
	b := c.q.GetBody()
	content := string(b.GetContent())
	if b.GetTruncated() {
		c.remark("the body is not whole: %d of %d bytes were kept", len(content), b.GetLength())
	}
	switch {
	case content == "":
		return
	case c.q.GetMethod() == "HEAD":
		c.remark("curl sends no body with HEAD; the request had one")
		return
	case isText(content) && len(content) <= maxArgument && content[0] != '@': // curl would read a file
		c.add("--data-binary", content)
	default:
		c.before = "printf " + octal(content) + " | "
		c.words = append(c.words, "--data-binary @-")
	}
	if redact.HasToken(content) {
		c.remark("the body holds tokens in the place of secrets (rdx_…)")
	}
}

// isText: every character can be shown, and written, as it is.
func isText(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool {
		return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || r == utf8.RuneError)
	}) < 0
}

// quote makes one word of a text.
func quote(s string) string {
	if !isText(s) {
		return `"$(printf ` + octal(s) + `)"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// octal is a format of printf that writes a text of any bytes.
func octal(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '%':
			b.WriteString("%%")
		case c < ' ' || c > '~' || c == '\'' || c == '\\' || c == '-' && i == 0: // - would begin an option
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
