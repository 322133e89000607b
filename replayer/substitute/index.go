package substitute

import (
	"slices"
	"strings"

	"understudy.dev/exchange/names"
)

// entry is a name of one kind.
type entry struct {
	kind string
	// by is the exchange whose answer held it first; nil if the client had sent
	// it before.
	by *origin
	// sequence is when the client used it, if by is nil.
	sequence uint64
	// created: that exchange made what it names.
	created bool
	// written: that exchange wrote, so the name is likely to be new.
	written bool
	// loose: what it names is only known by what was asked for, see loose.
	loose bool
	// found: a search found it, or something that shows anything; of what kind it is
	// is not known.
	found bool
	// constant: the answer told how the system is set up.
	constant bool
}

// since is when the name was first seen, in the order of the schedule.
func (e entry) since() uint64 {
	if e.by == nil {
		return e.sequence
	}
	return e.by.sequence
}

// index finds entries by name. It keeps two generations; the older one is
// dropped when the younger one is full.
type index struct {
	young, old map[string][]entry
	n, dropped int
}

// maxKinds bounds the entries under one name.
const maxKinds = 16

// add takes an entry; grown is by how many entries the index is larger now, and
// lost says that a generation was dropped.
func (x *index) add(name string, e entry, limit int) (grown int, lost bool) {
	if x.n >= limit/2 {
		grown -= x.dropped
		lost = x.old != nil
		x.old, x.dropped, x.young, x.n = x.young, x.n, nil, 0
	}
	if x.young == nil {
		x.young = map[string][]entry{}
	}
	list, known := x.young[name]
	if len(list) >= maxKinds {
		return grown, lost
	}
	if !known {
		name = strings.Clone(name) // not the message around it
	}
	x.young[name] = append(list, e)
	x.n++
	return grown + 1, lost
}

// find gives the entries that can be what stands at a place.
func (x *index) find(at names.Place, name string) (out []entry) {
	for _, list := range [2][]entry{x.old[name], x.young[name]} {
		for _, e := range list {
			if at.Fits(e.kind, name) {
				out = append(out, e)
			}
		}
	}
	return out
}

// has says whether one of the entries that can be what stands at a place is as
// asked for.
func (x *index) has(at names.Place, name string, is func(*entry) bool) bool {
	for _, list := range [2][]entry{x.old[name], x.young[name]} {
		for i := range list {
			if is(&list[i]) && at.Fits(list[i].kind, name) {
				return true
			}
		}
	}
	return false
}

// holds says whether there are entries under a name, of whatever kind.
func (x *index) holds(name string) bool { return len(x.young[name]) > 0 || len(x.old[name]) > 0 }

func anyEntry(*entry) bool { return true }

// all gives the entries under a name, of whatever kind.
func (x *index) all(name string) []entry {
	return slices.Concat(x.old[name], x.young[name])
}
