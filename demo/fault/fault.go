package fault

import (
	"hash/fnv"
	"slices"
	"strings"
	"sync"
)

// Header is the request header whose value decides.
const Header = "X-Reference"

// Name names a kind of fault.
type Name string

// The faults; Catalogue says what each does and how it is found.
const (
	WrongTotal    Name = "wrong-total"
	MissingField  Name = "missing-field"
	WrongType     Name = "wrong-type"
	ExtraField    Name = "extra-field"
	LargeInteger  Name = "large-integer"
	Refused       Name = "refused"
	Accepted      Name = "accepted"
	Lost          Name = "lost"
	Late          Name = "late"
	Duplicate     Name = "duplicate"
	Contradictory Name = "contradictory"
	Orphan        Name = "orphan"
	Reordered     Name = "reordered"
	SlowTail      Name = "slow-tail"

	SwappedCustomer Name = "swapped-customer"
	WrongLink       Name = "wrong-link"
	WrongRole       Name = "wrong-role"
	KeptCookie      Name = "kept-cookie"
	StaleList       Name = "stale-list"
	CoarseTime      Name = "coarse-time"
	ShortExport     Name = "short-export"
	WrongDigest     Name = "wrong-digest"
	WrongTrailer    Name = "wrong-trailer"
)

// Decide says which fault hits a request, "" for none. It depends on its
// arguments alone.
func Decide(route, reference string) Name {
	base, place := Split(reference)
	h := hash(base)
	for _, f := range catalogue {
		if f.Route == route && f.place == place && reference != "" && h%f.of == f.slot {
			return f.Name
		}
	}
	return ""
}

// Split takes a reference apart into what identifies it and its place in the
// session: "last", "first", "second" or "". Two twins have one base.
func Split(reference string) (base, place string) {
	base, place, _ = strings.Cut(reference, ".")
	return base, place
}

// hash spreads references over slots: FNV-1a and a final mix, because the low
// bits of FNV alone follow the last characters.
func hash(text string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(text))
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}

// Book holds the references of the requests on which faults were really
// planted. Its methods are safe for concurrent use.
type Book struct {
	mu      sync.Mutex
	planted map[Name]map[string]bool
	held    int
}

// maxReferences bounds a Book; a fault beyond it is not planted.
const maxReferences = 200_000

// NewBook makes an empty book.
func NewBook() *Book { return &Book{planted: map[Name]map[string]bool{}} }

// Plant notes that the fault hits the request with this reference. It is false
// when the book is full, and then the fault must not be planted. A reference
// counts once however often it is replayed.
func (b *Book) Plant(name Name, reference string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.planted[name][reference] {
		return true
	}
	if b.held >= maxReferences {
		return false
	}
	if b.planted[name] == nil {
		b.planted[name] = map[string]bool{}
	}
	b.planted[name][reference] = true
	b.held++
	return true
}

// Planted is one fault with the requests it hit.
type Planted struct {
	Fault
	// References of the requests whose replays show it, sorted.
	References []string
}

// Planted lists every fault of the catalogue in its order, those that hit
// nothing included.
func (b *Book) Planted() []Planted {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Planted, 0, len(catalogue))
	for _, f := range catalogue {
		p := Planted{Fault: f}
		for reference := range b.planted[f.Name] {
			p.References = append(p.References, reference)
		}
		slices.Sort(p.References)
		out = append(out, p)
	}
	return out
}
