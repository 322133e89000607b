package substitute

import (
	"hash/maphash"
	"sync"

	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
)

// MaxCredentials are remembered for the run, and MaxJar for each session; the
// oldest go first. One that may have been forgotten leaves its session only
// with what is left of the others.
const (
	MaxCredentials = 100_000
	MaxJar         = 2048
)

// jar holds what the recorded answers of a session gave its client to show
// again, under the session's mu.
type jar struct {
	young, old map[string]*credential // by what the recording calls it
	begun      uint64                 // sequence of the first exchange
	follows    *session               // whose login began this one

	// login is the session's token for Authorization, and forgery the one that
	// proves a request to be no forged one.
	login, forgery sole

	// elsewhere is the latest exchange in whose answers the candidate set cookies
	// that only another process knows; empty if there is none.
	elsewhere string
}

// sole is the only credential of one use that the answers of a session gave. A
// redacted field does not show which it holds.
type sole struct {
	given int         // how many answers gave such
	only  *credential // the only one of the first
	// strangers were shown before it, and bound is the one shown since.
	strangers map[string]bool
	bound     string
}

// maxStrangers bounds the values that were shown before.
const maxStrangers = 64

// give takes those of one answer.
func (o *sole) give(all []*credential) {
	if len(all) == 0 || len(all) == 1 && all[0] == o.only {
		return
	}
	if o.given++; o.given == 1 && len(all) == 1 {
		o.only = all[0]
	}
}

// behind is what a redacted field holds, if nothing says that it is another.
func (o *sole) behind(redacted string) *credential {
	switch {
	case o.given == 0:
		if o.strangers == nil {
			o.strangers = map[string]bool{}
		}
		if o.strangers[redacted] = true; len(o.strangers) > maxStrangers {
			o.given = 2 // too many to tell
		}
		return nil
	case o.given > 1 || o.only == nil || o.strangers[redacted]:
		return nil
	case o.bound == "":
		o.bound = redacted
	case o.bound != redacted:
		o.given = 2 // two users, or a new one that was not seen
		return nil
	}
	return o.only
}

// find gives what an earlier exchange gave.
func (j *jar) find(key string, before uint64) *credential {
	for _, of := range []map[string]*credential{j.young, j.old} {
		if v := of[key]; v != nil && v.by.sequence < before {
			return v
		}
	}
	return nil
}

// put holds a credential under a key, instead of another.
func (s *session) put(key string, v *credential) {
	j := &s.jar
	if j.young == nil || len(j.young) >= MaxJar/2 {
		s.grow(-len(j.old))
		j.old, j.young = j.young, map[string]*credential{}
	}
	if _, has := j.young[key]; !has {
		s.grow(1)
	}
	j.young[key] = v
}

// gift is what is known in the run of a recorded value that an answer gave.
type gift struct {
	credential *credential
	// many: other answers gave the same value, or several sessions show it. Then
	// it is no sign of who shows it.
	many bool
	// shown: by the session that was given it. taken is the other one that shows it.
	shown bool
	taken *session
	// clients: its client had it before any answer did.
	clients bool
}

// credentials finds what was given by its recorded value, in the whole run.
type credentials struct {
	mu         sync.Mutex
	young, old map[string]*gift
	forgotten  bloom
}

// find must be called with mu held.
func (c *credentials) find(key string) *gift {
	if g := c.young[key]; g != nil {
		return g
	}
	return c.old[key]
}

// give enters that an answer gave a value, with mu held. renews says that the
// request had shown it as what the session was given.
func (c *credentials) give(key string, v *credential, renews bool) {
	g := c.find(key)
	switch {
	case g == nil:
		if c.young == nil || len(c.young) >= MaxCredentials/2 {
			for key := range c.old {
				c.forgotten.add(key)
			}
			c.old, c.young = c.young, map[string]*gift{}
		}
		c.young[key] = &gift{credential: v, many: c.forgotten.has(key)}
	case g.credential.by != v.by && g.taken != v.session && !renews:
		g.many = true
	}
}

// handedOut says whether an answer before the request gave its client a value, or
// may have. Whoever shows it then and was not given it in the same session has none
// of the candidate.
func (x *Exchange) handedOut(key string) bool {
	c := &x.memory.credentials
	if g := c.find(key); g != nil {
		return g.credential.by.sequence < x.origin.sequence && !g.clients
	}
	return c.forgotten.has(key)
}

// own finds what a value of the request stands for: what an answer gave the same
// session before.
func (x *Exchange) own(key string) *credential {
	v := x.session.jar.find(key, x.origin.sequence)
	if v == nil || v.session == x.session {
		return v
	}
	if g := x.memory.credentials.find(key); g == nil || g.credential != v || g.many {
		return nil // it turned out to be no sign
	}
	return v
}

// adopt takes what another session was given, if the value that the request
// shows can have come from nowhere else: only one answer of the run gave it, and
// it is either one that nobody else can have, or stands where a secret does and is
// no word or number, or it is redacted, so that it may be anything, and then it
// began this session and nobody else shows it.
func (x *Exchange) adopt(key, value string, secret bool) {
	s, g := x.session, x.memory.credentials.find(key)
	switch {
	case g == nil || g.credential.by.sequence >= x.origin.sequence:
		return
	case g.credential.session == s:
		g.shown = true
		return
	case g.many || g.clients || s.jar.find(key, x.origin.sequence) != nil:
		return
	case isUnmistakable(value):
	case !redact.IsToken(value) && secret && names.IsUnmistakable(value):
	case !redact.IsToken(value):
		return
	case g.taken != nil:
		g.many = true
		return
	case s.jar.follows == g.credential.session: // and so it has what that has
	case g.shown || s.forgot || s.jar.begun != x.origin.sequence:
		return
	default:
		s.jar.follows = g.credential.session
	}
	g.taken = s
	s.put(key, g.credential)
}

// leastUnmistakable is how long a random text must be to stand for nothing else,
// in bytes.
const leastUnmistakable = 20

// isUnmistakable says whether no two clients were given a value by chance.
func isUnmistakable(value string) bool {
	if names.IsUnique(value) {
		return true
	}
	if len(value) < leastUnmistakable {
		return false
	}
	// Words are long runs of one class; what is random changes.
	changes, last, seen := 0, -1, [256]bool{}
	different := 0
	for i := range len(value) {
		class := 3
		switch c := value[i]; {
		case c >= '0' && c <= '9':
			class = 0
		case c >= 'a' && c <= 'z':
			class = 1
		case c >= 'A' && c <= 'Z':
			class = 2
		}
		if class != last && class != 3 {
			changes++
		}
		if class != 3 {
			last = class
		}
		if !seen[value[i]] {
			seen[value[i]] = true
			different++
		}
	}
	return different >= 10 && changes*4 >= len(value)
}

// bloom is a set that may say yes to what it does not hold (Bloom 1970).
type bloom struct {
	bits []uint64
	seed maphash.Seed
}

// bloomBits are its size, 1 MiB once something is in it.
const bloomBits = 1 << 23

func (b *bloom) at(key string) (int, int) {
	h := maphash.String(b.seed, key)
	return int(h % bloomBits), int(h >> 32 % bloomBits)
}

func (b *bloom) add(key string) {
	if b.bits == nil {
		b.bits, b.seed = make([]uint64, bloomBits/64), maphash.MakeSeed()
	}
	i, k := b.at(key)
	b.bits[i/64] |= 1 << (i % 64)
	b.bits[k/64] |= 1 << (k % 64)
}

func (b *bloom) has(key string) bool {
	if b.bits == nil {
		return false
	}
	i, k := b.at(key)
	return b.bits[i/64]&(1<<(i%64)) != 0 && b.bits[k/64]&(1<<(k%64)) != 0
}
