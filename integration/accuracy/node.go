package accuracy

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// entity is a thing that both systems have, each under its own name.
type entity struct {
	kind string
	// name is what both systems call it; empty if each has its own name.
	name string
}

// stamp is a moment of which both systems have their own record.
type stamp struct{ fixed time.Time }

// side is one system.
type side struct {
	mu     sync.Mutex
	host   string
	mints  map[string]*minter
	names  map[*entity]value
	owners map[string]map[string]*entity // kind → name → thing
	stamps map[*stamp]time.Time
	random *rand.Rand
	secret string
}

// name is what the system calls a thing; it makes a name when there is none.
func (s *side) name(e *entity, now time.Time) value {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.names[e]; ok {
		return v
	}
	v := value{text: e.name}
	m := s.mints[e.kind]
	if e.name == "" {
		m.now = now
		v = m.next()
	} else if m != nil {
		v.number = m.scheme.number && strings.Trim(e.name, "0123456789") == ""
	}
	s.names[e] = v
	if s.owners[e.kind] == nil {
		s.owners[e.kind] = map[string]*entity{}
	}
	s.owners[e.kind][v.text] = e
	return v
}

// owner is what a name of a kind stands for, nil for nothing.
func (s *side) owner(kind, name string) *entity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owners[kind][name]
}

// time is when something happened in the system: now if it did not yet.
func (s *side) time(at *stamp, now time.Time) time.Time {
	if !at.fixed.IsZero() {
		return at.fixed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.stamps[at]; ok {
		return t
	}
	s.stamps[at] = now
	return now
}

// rendering is one message of one system.
type rendering struct {
	*side
	now    time.Time
	random *rand.Rand
	// request holds the fields of the request that is answered, nil if they do
	// not matter.
	request http.Header
	// named are the names that were written, with what they stand for.
	named map[string]*entity
}

func (s *side) render(now time.Time) *rendering {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &rendering{side: s, now: now, random: rand.New(rand.NewPCG(s.random.Uint64(), s.random.Uint64()))}
}

// node is a part of a message before a system has written it.
type node interface{ render(x *rendering) any }

type (
	// lit is written alike by both.
	lit struct{ v any }
	obj struct{ members []*field }
	arr struct{ elements []node }
	// ref names a thing.
	ref struct{ e *entity }
	// cat is a text with others in it.
	cat struct{ parts []node }
	// when is a time. Format is a layout or "unix", "ms".
	when struct {
		at     *stamp
		plus   time.Duration
		layout string
		zone   int // seconds east
	}
	// random is made anew each time.
	random struct {
		alphabet string
		n        int
	}
	// inside is a document in a text: "json", "base64", "jwt"; or "code", a text in
	// base64.
	inside struct {
		form string
		of   node
	}
	// digest follows from a document.
	digest struct{ of node }
	// authority is the host under which the system was asked.
	authority struct{}
	// recordedName is the baseline's name of a thing, which both systems write
	// because it is none here: an amount that happens to be equal to it.
	recordedName struct {
		of        *side
		e         *entity
		otherwise string
	}
)

// field is a member of an object; name may be nil, then key says it.
type field struct {
	key   string
	name  node
	value node
}

func (n lit) render(*rendering) any { return n.v }

func (n *obj) render(x *rendering) any {
	out := make(object, 0, len(n.members))
	for _, m := range n.members {
		key := m.key
		if m.name != nil {
			key = textOf(m.name.render(x))
		}
		if v := m.value.render(x); v != (absent{}) {
			out = append(out, member{key, v})
		}
	}
	return out
}

func (n *arr) render(x *rendering) any {
	out := make(array, 0, len(n.elements))
	for _, e := range n.elements {
		out = append(out, e.render(x))
	}
	return out
}

func (n ref) render(x *rendering) any {
	v := x.name(n.e, x.now)
	if x.named != nil {
		x.named[v.text] = n.e
	}
	return v.json()
}

func (n cat) render(x *rendering) any {
	var b strings.Builder
	for _, p := range n.parts {
		b.WriteString(textOf(p.render(x)))
	}
	return b.String()
}

const (
	millis   = "2006-01-02T15:04:05.000Z07:00"
	httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"
)

func (n when) render(x *rendering) any {
	t := x.now
	if n.at != nil {
		t = x.time(n.at, x.now)
	}
	t = t.Add(n.plus).In(time.FixedZone("", n.zone))
	if n.zone == 0 {
		t = t.UTC()
	}
	switch n.layout {
	case "unix":
		return number(strconv.FormatInt(t.Unix(), 10))
	case "ms":
		return number(strconv.FormatInt(t.UnixMilli(), 10))
	}
	return t.Format(n.layout)
}

func (n random) render(x *rendering) any { return pick(x.random, n.alphabet, n.n) }

func (n inside) render(x *rendering) any {
	if n.form == "code" {
		return base64.StdEncoding.EncodeToString([]byte(textOf(n.of.render(x))))
	}
	text := plain(n.of.render(x))
	code := base64.RawURLEncoding
	switch n.form {
	case "base64":
		return base64.StdEncoding.EncodeToString(text)
	case "jwt":
		signed := code.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + code.EncodeToString(text)
		sum := sha256.Sum256([]byte(x.secret + signed))
		return signed + "." + code.EncodeToString(sum[:])
	}
	return string(text)
}

func (n digest) render(x *rendering) any {
	sum := sha256.Sum256(plain(n.of.render(x)))
	return hex.EncodeToString(sum[:])
}

func (authority) render(x *rendering) any { return x.host }

func (n recordedName) render(*rendering) any {
	n.of.mu.Lock()
	defer n.of.mu.Unlock()
	if v := n.of.names[n.e]; v.text != "" && len(v.text) < 9 && strings.Trim(v.text, "0123456789") == "" {
		return number(v.text)
	}
	return number(n.otherwise)
}
