package names

// NewSeeker makes a finder for what a client sends. It also finds what stands
// at a member that is only called like a kind ("order": 17), which may be a name
// if such a one is known.
func NewSeeker(target string, known func(Place, string) bool) *Finder {
	f := &Finder{}
	f.places = placesOf(seeking{finding{f, known}}, target)
	return f
}

type seeking struct{ finding }

func (v seeking) visit(at Place, x Value) (Value, bool) {
	if CanName(x) && (at.Named || at.Kind != "" || IsUnmistakable(x.Text)) {
		v.f.add(Name{at, x})
	}
	return x, false
}

// Fits says whether the name of a thing of a kind can be what stands at the
// place: any place for a name that is unmistakable, one where the kind stands
// for a number or a word.
func (at Place) Fits(kind, name string) bool {
	return Pair{Kind: kind, Baseline: Value{Text: name}}.suits(at)
}

// Family is the kind of thing that a request target is about: the last
// collection in its path, in the singular. known may tell which words in it are
// names; nil knows none.
func Family(target string, known func(Place, string) bool) string {
	return family(Segments(target, known))
}
