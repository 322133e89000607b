package redact

import (
	"cmp"
	"math"
	"strings"

	"google.golang.org/protobuf/proto"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/token"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Suspect is a value that may be a secret and is none of redaction's tokens.
type Suspect struct {
	Place understudyv1.Redaction_Place
	// Name is that of the field, parameter or member, as far as it is known.
	Name string
	// Why is the rule by default that would replace it, or that it looks random.
	Why string
}

// Scanner looks for secrets in exchanges that are redacted already. It is safe
// for concurrent use.
type Scanner struct{ r *Redactor }

// NewScanner makes a Scanner.
func NewScanner() *Scanner {
	key, _ := token.New(nil) // a random key is no error
	return &Scanner{New(Config{}, key)}
}

// Scan returns what in an exchange may be a secret: what the rules by default
// would replace, and texts that are random, which most identifiers are too.
func (s *Scanner) Scan(e *understudyv1.Exchange) (out []Suspect) {
	e = proto.CloneOf(e)
	s.r.Test(e, func(h Hit) {
		if h.In != placeNames[inBody] {
			out = append(out, Suspect{h.Place, h.Name, "rule " + h.Rule})
		}
	})
	add := func(place understudyv1.Redaction_Place, name, text string) {
		eachRandom(text, func(before string) {
			out = append(out, Suspect{place, cmp.Or(nameOfRandom(before), name), "random"})
		})
	}
	look := func(inHead, inBody understudyv1.Redaction_Place, headers []*understudyv1.Header, body *understudyv1.Body) {
		for _, h := range headers {
			if !structural[strings.ToLower(h.GetName())] {
				add(inHead, h.GetName(), string(h.GetValue()))
			}
		}
		kind := message.MediaType(message.First(headers, "Content-Type"))
		if isOpaque(kind) {
			return
		}
		plain, err := message.Decode(body.GetContent(), message.Joined(headers, "Content-Encoding"), maxPlain)
		if err == nil && (isTextual(kind) || isText(plain)) {
			add(inBody, "", string(plain))
		}
	}
	if q := e.GetRequest(); q != nil {
		add(understudyv1.Redaction_PLACE_REQUEST_TARGET, "", string(q.GetTarget()))
		look(understudyv1.Redaction_PLACE_REQUEST_HEADER, understudyv1.Redaction_PLACE_REQUEST_BODY, q.GetHeaders(), q.GetBody())
	}
	if a := e.GetResponse(); a != nil {
		look(understudyv1.Redaction_PLACE_RESPONSE_HEADER, understudyv1.Redaction_PLACE_RESPONSE_BODY, a.GetHeaders(), a.GetBody())
	}
	return out
}

// structural are fields whose random texts are no secrets.
var structural = setOf(`etag if-none-match if-match traceparent tracestate user-agent content-type date x-request-id request-id x-correlation-id
	idempotency-key x-amz-request-id x-amz-id-2 cf-ray x-trace-id x-b3-traceid x-b3-spanid understudy-run content-security-policy accept-encoding`)

const (
	leastRandom = 20  // characters of a text that may be random
	leastBits   = 3.7 // of entropy for each of them
)

// eachRandom visits the words of a text that look random: long, of letters and
// digits, with much entropy. Names of things that anybody may know, UUIDs, are
// none.
func eachRandom(text string, visit func(before string)) {
	for from := 0; from < len(text); {
		end := from
		for end < len(text) && (charClass[text[end]]&isWord != 0 && text[end] < 0x80 || text[end] == '-' || text[end] == '+') {
			end++
		}
		if end == from {
			from++
			continue
		}
		if word := text[from:end]; len(word) >= leastRandom && len(word) <= maxShaped && !strings.Contains(word, domain+"_") && !strings.HasPrefix(word, "eyJ") && !names.IsUUID(word) &&
			strings.ContainsAny(word, "0123456789") && strings.Trim(word, "0123456789-+") != "" {
			if entropy(word) >= leastBits {
				visit(text[max(0, from-maxName):from])
			}
		}
		from = end
	}
}

// nameOfRandom is the name with which a text ends, if a mark says that it is one:
// another word may be a secret too.
func nameOfRandom(before string) string {
	before = strings.TrimRight(before, " \t\"'\\")
	if !strings.HasSuffix(before, ":") && !strings.HasSuffix(before, "=") {
		return ""
	}
	return nameBefore(before[:len(before)-1])
}

// entropy is Shannon's, in bits for each character.
func entropy(s string) (bits float64) {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
