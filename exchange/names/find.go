package names

// Name is a value that may be a name, and where it stands.
type Name struct {
	Place Place
	Value Value
}

// maxFound bounds the names that are found in one message.
const maxFound = 10_000

// Finder finds the values in a message that may be names: what stands at a place
// that is called one of an identifier, the names in paths, and what no other
// value is by chance. It belongs to one goroutine.
type Finder struct {
	places places
	found  []Name
	cut    bool
}

// NewFinder makes a finder for messages about what target names. known may
// tell which words in paths are names; nil knows none.
func NewFinder(target string, known func(Place, string) bool) *Finder {
	f := &Finder{}
	f.places = placesOf(finding{f, known}, target)
	return f
}

// Answering makes it one for the answer to a method, as that of a Translator.
func (f *Finder) Answering(method string) *Finder {
	f.places.answering(method)
	return f
}

// Of makes own say which hosts are the system's: links to others name no things
// of it.
func (f *Finder) Of(own func(host string) bool) *Finder {
	f.places.own = own
	return f
}

// As gives members of a name another place than that name says. It must not change.
func (f *Finder) As(places map[string]Place) *Finder {
	f.places.as = places
	return f
}

// Found are the names found so far, in their order, each as often as it stands
// there. cut says that there were more.
func (f *Finder) Found() (found []Name, cut bool) { return f.found, f.cut }

// Target looks for names in a request target or a link.
func (f *Finder) Target(raw string) { f.places.target(raw) }

// Form looks for names in a URL-encoded form.
func (f *Finder) Form(body []byte) { f.places.form(string(body)) }

// JSON looks for names in a JSON document.
func (f *Finder) JSON(body []byte) { f.places.json(body) }

// Value looks for names in the value of a header field or a cookie.
func (f *Finder) Value(name, value string) {
	f.places.text(f.places.member(name, nil), value)
}

// Beside says whether a text tells beside which thing another is put (after:17), and
// so is taken apart where it stands.
func (f *Finder) Beside(text string) bool { return f.places.beside(text) != "" }

func (f *Finder) add(n Name) {
	if f.cut = f.cut || len(f.found) >= maxFound; !f.cut {
		f.found = append(f.found, n)
	}
}

type finding struct {
	f    *Finder
	word func(Place, string) bool
}

func (v finding) may(string) bool { return true }

func (v finding) known(at Place, text string) bool { return v.word != nil && v.word(at, text) }

func (v finding) visitKey(at Place, x Value, _ *document) (Value, bool) { return v.visit(at, x) }

func (v finding) visit(at Place, x Value) (Value, bool) {
	if isList(at, x.Text) {
		return x, false // each of them may be
	}
	if (at.Named && at.Kind != "" || at.Named && IsGenerated(x.Text) || IsUnmistakable(x.Text)) && CanName(x) {
		v.f.add(Name{at, x})
		return x, true
	}
	return x, false
}
