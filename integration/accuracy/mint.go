package accuracy

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// scheme is how a system makes names.
type scheme struct {
	name string
	// digits: they are nothing else; number: it writes them as JSON numbers.
	digits bool
	number bool
	mint   func(m *minter) string
	// unguessable: nothing else is called so by chance.
	unguessable bool
}

// minter is what one system keeps for one kind of thing.
type minter struct {
	scheme  scheme
	kind    string
	counter int
	random  *rand.Rand
	now     time.Time
}

func (m *minter) next() value {
	m.counter += 1 + m.random.IntN(2)
	return value{m.scheme.mint(m), m.scheme.number}
}

// value is a name as a system writes it.
type value struct {
	text   string
	number bool
}

func (v value) json() any {
	if v.number {
		return number(v.text)
	}
	return v.text
}

const (
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

func pick(r *rand.Rand, alphabet string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

func bytesOf(r *rand.Rand, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

func uuid4(r *rand.Rand) string {
	b := bytesOf(r, 16)
	b[6], b[8] = b[6]&15|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// schemes are those that systems are seen to use.
var schemes = []scheme{
	{"counter", true, true, func(m *minter) string { return strconv.Itoa(m.counter) }, false},
	{"counter as text", true, false, func(m *minter) string { return strconv.Itoa(m.counter) }, false},
	{"UUID", false, false, func(m *minter) string { return uuid4(m.random) }, true},
	{"ULID", false, false, func(m *minter) string {
		ms, out := m.now.UnixMilli(), make([]byte, 10)
		for i := 9; i >= 0; i-- {
			out[i] = crockford[ms&31]
			ms >>= 5
		}
		return string(out) + pick(m.random, crockford, 16)
	}, true},
	{"prefixed random", false, false, func(m *minter) string { return m.kind[:3] + "_" + pick(m.random, base62, 14) }, true},
	{"prefixed counter", false, false, func(m *minter) string { return fmt.Sprintf("%s-%d", strings.ToUpper(m.kind[:1]), m.counter) }, false},
	{"words", false, false, func(m *minter) string {
		n := m.counter
		return adjectives[n%len(adjectives)] + "-" + animals[n/len(adjectives)%len(animals)] + "-" + colours[n/len(adjectives)/len(animals)%len(colours)]
	}, false},
	{"snowflake", true, false, func(m *minter) string {
		return strconv.FormatInt((m.now.UnixMilli()-1288834974657)<<22|int64(m.counter&0xfff)|int64(m.random.IntN(1024))<<12, 10)
	}, true},
	{"object id", false, false, func(m *minter) string {
		return fmt.Sprintf("%08x%s%06x", m.now.Unix(), hex.EncodeToString(bytesOf(m.random, 5)), m.counter&0xffffff)
	}, true},
}

// opaque is how both systems make tokens.
var opaque = scheme{"opaque", false, false, func(m *minter) string { return pick(m.random, base62, 32) }, true}

var (
	adjectives = strings.Fields("amber brave calm dusty eager faint gentle happy icy jolly keen lucky mild noble odd proud quick rapid shy tidy urban vivid warm young zany bold crisp deft early fresh")
	animals    = strings.Fields("otter falcon badger heron lynx marten newt osprey panda quail raven seal tapir urchin viper walrus yak zebra bison crane dingo egret ferret gecko hare ibis jackal koala lemur moose")
	colours    = strings.Fields("red blue green teal pink gold grey lime navy plum rose rust sand sky tan wine mint moss onyx pearl ruby sage umber violet aqua beige coral denim ebony fawn")
)
