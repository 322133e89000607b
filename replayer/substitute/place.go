package substitute

import (
	"bytes"
	"maps"
	"strings"

	"understudy.dev/exchange/names"
)

// told are the places of members of a JSON document that it tells itself: the values
// of a JSON Patch (RFC 6902), by the last word of the path. The session's mu is held.
func (x *Exchange) told(body []byte) map[string]names.Place {
	if len(body) > maxExpression || !bytes.Contains(body, []byte(`"op"`)) {
		return nil
	}
	if t, whole := names.Parse(body); whole && t.Is(names.Array) {
		return x.patched(t)
	}
	return nil
}

// patched is the place of what the steps of a JSON Patch write, if it is one and none
// of what they write elsewhere is called like something of its kind.
func (x *Exchange) patched(t names.Tree) map[string]names.Place {
	var of names.Place
	var others []string
	for step := range t.Elements() {
		at, value := step.Member("path"), step.Member("value")
		if !step.Member("op").Is(names.String) || !at.Is(names.String) || len(at[0].Text) > maxName {
			return nil
		}
		if !value.Is(names.String) && !value.Is(names.Number) {
			if value.Is(names.Object) || value.Is(names.Array) {
				return nil // members of its own
			}
			continue
		}
		place, own := names.KindOf(at[0].Text[strings.LastIndexByte(at[0].Text, '/')+1:])
		switch {
		case own || !place.Named || place.Kind == "":
			others = append(others, value[0].Text)
		case of.Kind != "" && of != place:
			return nil
		default:
			of = place
		}
	}
	if of.Kind == "" {
		return nil
	}
	for _, other := range others {
		if len(x.makers(other)) > 0 {
			return nil
		}
	}
	return map[string]names.Place{"value": of}
}

// makers are those who made something of a name, in the session or in the run.
func (x *Exchange) makers(name string) (made []entry) {
	for _, e := range append(x.session.made.all(name), x.memory.created.named(name)...) {
		if e.by != nil && e.kind != "" && !contains(made, e.by) {
			made = append(made, e)
		}
	}
	return made
}

// maxName is the longest path of a step that is looked at, in bytes.
const maxName = 256

// also adds places to those that are there.
func also(as, told map[string]names.Place) map[string]names.Place {
	if len(told) == 0 {
		return as
	}
	out := maps.Clone(told)
	maps.Copy(out, as)
	return out
}

// replacedAs says whether a name is one that is replaced because the document told
// what it is.
func replacedAs(told map[string]names.Place, n names.Name) bool {
	for _, at := range told {
		if at.Kind == n.Place.Kind {
			return true
		}
	}
	return false
}
