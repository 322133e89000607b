package substitute

import (
	"net/url"
	"strings"

	"understudy.dev/exchange/memo"
	"understudy.dev/exchange/names"
)

// What an answer hands its client to hand back as it is: the version of a thing in
// a member of it, which a later request makes a condition of (optimistic locking),
// and where the next page begins. It stands for no thing, so it is told by where it
// stood and not by its value: version 7 of one document is not that of another.

// Classes of what is handed.
const (
	ofVersion  = "version"
	ofRevision = "revision"
	ofTag      = "etag"
	ofChange   = "changed" // a time
)

// versionEnds are the ends of the names of members that hold versions, without
// separators and in lower case.
var versionEnds = []struct{ end, class string }{
	{"version", ofVersion}, {"versionid", ofVersion}, {"rowver", ofVersion}, {"generation", ofVersion}, {"seqno", ofVersion}, {"primaryterm", ofVersion},
	{"revision", ofRevision}, {"revisionid", ofRevision}, {"rev", ofRevision},
	{"etag", ofTag}, {"concurrencystamp", ofTag}, {"concurrencytoken", ofTag}, {"changekey", ofTag}, {"synctoken", ofTag}, {"ifmatch", ofTag},
	{"updatedat", ofChange}, {"modifiedat", ofChange}, {"lastmodified", ofChange}, {"updatedon", ofChange}, {"modifiedon", ofChange}, {"lastupdated", ofChange},
	{"lastupdatedat", ofChange}, {"lastmodifiedat", ofChange}, {"updatetime", ofChange}, {"modifiedtime", ofChange},
}

// classes are those of what members of a name hold; empty if nothing is handed
// there. Names of members repeat from document to document.
var classes = memo.New(func(name string) string {
	if len(name) > maxCursorName {
		return ""
	}
	if name == "__v" {
		return ofVersion // of Mongoose
	}
	plain := plainName(name)
	for _, e := range versionEnds {
		if strings.HasSuffix(plain, e.end) {
			return e.class
		}
	}
	if isCursor(name) {
		return names.Cursor.Kind
	}
	return ""
})

// handing is something handed, and where it stands in its document: members by
// their names, elements of lists by the id in them.
type handing struct {
	class, resource, path, id string
	node                      int
	value                     names.Value
}

// Bounds of what is looked at in one message.
const (
	maxHanded      = 256
	maxHandedDepth = 8
)

// handedIn finds what a document holds of that. path is that of the thing that
// it is about.
func handedIn(t names.Tree, path string) []handing {
	w := handings{root: cap(t), ofThing: ofThing(path)}
	if t.Is(names.Array) {
		for e := range t.Elements() {
			w.element(e, path, 1)
		}
		return w.found
	}
	w.object(t, path, "", 0)
	return w.found
}

// handings is a walk of a document.
type handings struct {
	root    int
	ofThing bool
	at      []string // members and ids that lead to where it is
	found   []handing
}

func (w *handings) element(t names.Tree, resource string, depth int) {
	if t.Is(names.Object) {
		w.at = append(w.at, idOf(t))
		w.object(t, resource, "", depth)
		w.at = w.at[:len(w.at)-1]
	}
}

func (w *handings) object(t names.Tree, resource, id string, depth int) {
	if depth > maxHandedDepth || len(w.found) >= maxHanded {
		return
	}
	own := idOf(t)
	if own != "" {
		id = own
	}
	for m := range t.Members() {
		name := m[0].Name
		switch {
		case m.Is(names.Object):
			inner := w.of(resource, own, depth)
			if idOf(m) != "" && !names.IsContainer(name) {
				inner = "/" + name // another thing
			}
			w.at = append(w.at, name)
			w.object(m, inner, id, depth+1)
			w.at = w.at[:len(w.at)-1]
		case m.Is(names.Array):
			inner := w.of(resource, own, depth)
			w.at = append(w.at, name)
			for e := range m.Elements() {
				w.element(e, inner, depth+1)
			}
			w.at = w.at[:len(w.at)-1]
		case !m.Is(names.String) && !m.Is(names.Number) || m[0].Text == "" || len(m[0].Text) > maxCursor || len(w.found) >= maxHanded:
		default:
			if class := classes.Of(name); class != "" && !(class == names.Cursor.Kind && names.IsLink(m[0].Text)) {
				w.found = append(w.found, handing{
					class, w.of(resource, own, depth), "/" + strings.Join(append(w.at, name), "/"), id, w.root - cap(m),
					names.Value{Text: m[0].Text, Number: m.Is(names.Number)},
				})
			}
		}
	}
}

// of is the path of the thing that an object with an id is.
func (w *handings) of(resource, id string, depth int) string {
	if id == "" || depth == 0 && w.ofThing || strings.HasSuffix(resource, "/"+id) {
		return resource
	}
	return resource + "/" + id
}

// idOf is the id in an object; empty if it has none.
func idOf(t names.Tree) string {
	for _, name := range []string{"id", "_id"} {
		if id := t.Member(name); id.Is(names.String) || id.Is(names.Number) {
			return id[0].Text
		}
	}
	return ""
}

func keyOf(class, value string) string { return class + "=" + value }

// hand remembers what the recorded answer hands its client. The session's mu is
// held.
func (x *Exchange) hand(body *content) {
	for _, h := range handedIn(body.document(), pathOf(string(x.recorded.GetRequest().GetTarget()))) {
		x.keep(keyOf(h.class, h.value.Text), &version{resource: h.resource, recorded: h.value.Text, by: x.origin, class: h.class, path: h.path, id: h.id})
	}
}

// answerHanded takes the candidate's counterparts: those at the same members, of
// the elements of lists that are the same things. The session's mu is held.
func (x *Exchange) answerHanded(body *content) {
	var theirs map[string]names.Value
	for _, v := range x.given {
		if v.class == "" {
			continue
		}
		if theirs == nil {
			theirs = map[string]names.Value{}
			for _, h := range handedIn(body.document(), pathOf(string(x.recorded.GetRequest().GetTarget()))) {
				theirs[h.path] = h.value
			}
		}
		path := v.path
		if v.id != "" && strings.Contains(path, "/"+v.id+"/") {
			family := names.Family(string(x.recorded.GetRequest().GetTarget()), nil)
			if p, ok := x.session.pairs.Of(names.Place{Kind: family, Named: true}, v.id); ok && p.Holds() {
				path = strings.Replace(path, "/"+v.id+"/", "/"+p.Candidate.Text+"/", 1)
			}
		}
		if with, ok := theirs[path]; ok {
			v.candidate, v.number = with.Text, with.Number
		}
	}
}

// handed finds what a value of a class at a request for a path stands for, the
// latest last: that of the same thing, of one that the path leads to, or of the one
// whose id stands beside it. A place in a list is that of the same list, or of the
// only one.
func (x *Exchange) handed(class, value, path, id string) []*version {
	var of [5][]*version // the nearer first
	for _, v := range x.session.tags[keyOf(class, value)] {
		at := len(of) - 1
		switch {
		case v.by.sequence >= x.origin.sequence:
			continue
		case v.resource == path && (id == "" || strings.HasSuffix(path, "/"+id)):
			at = 0
		case id != "" && strings.HasSuffix(v.resource, "/"+id):
			at = 1
		case v.resource == path:
			at = 2
		case strings.HasPrefix(path, v.resource+"/"):
			at = 3
		case class != names.Cursor.Kind && !names.IsUnmistakable(value):
			continue
		}
		of[at] = append(of[at], v)
	}
	for _, found := range of {
		if len(found) == 0 {
			continue
		}
		for _, v := range found {
			if v.resource != found[0].resource {
				return nil // of several things
			}
		}
		return found
	}
	return nil
}

// returned is a place in a request at which something is handed back.
type returned struct {
	node int // of the document, or field of the query or the form
	by   []*version
}

// inDocument and inFields find the places of a body and of a query or a form.
func (x *Exchange) inDocument(body []byte) (out []returned) {
	if len(x.session.tags) == 0 {
		return nil
	}
	t, whole := names.Parse(body)
	if !whole {
		return nil
	}
	path := pathOf(string(x.recorded.GetRequest().GetTarget()))
	for _, h := range handedIn(t, path) {
		if found := x.handed(h.class, h.value.Text, path, h.id); len(found) > 0 {
			out = append(out, returned{h.node, found})
		}
	}
	return append(out, x.tested(t, path)...)
}

// tested are the versions in the tests of a JSON Patch (RFC 6902, section 4.6).
func (x *Exchange) tested(t names.Tree, path string) (out []returned) {
	root := cap(t)
	for e := range t.Elements() {
		at, value := e.Member("path"), e.Member("value")
		if !at.Is(names.String) || !value.Is(names.String) && !value.Is(names.Number) {
			continue
		}
		name := at[0].Text[strings.LastIndexByte(at[0].Text, '/')+1:]
		if found := x.handed(classes.Of(name), value[0].Text, path, ""); len(found) > 0 {
			out = append(out, returned{root - cap(value), found})
		}
	}
	return out
}

func (x *Exchange) inQuery(query string) (out []returned) {
	if len(x.session.tags) == 0 || query == "" {
		return nil
	}
	path := pathOf(string(x.recorded.GetRequest().GetTarget()))
	i := -1
	for field := range strings.SplitSeq(query, "&") {
		i++
		name, value, _ := strings.Cut(field, "=")
		class := classes.Of(name)
		if class == "" {
			continue
		}
		if text, err := url.QueryUnescape(value); err == nil {
			if found := x.handed(class, text, path, ""); len(found) > 0 {
				out = append(out, returned{i, found})
			}
		}
	}
	return out
}

// returns finds all that the request hands back, and so waits for.
func (x *Exchange) returns(form format, query string, body []byte) {
	x.backInQuery = x.inQuery(query)
	switch form {
	case asForm:
		x.backInBody = x.inQuery(string(body))
	case asJSON:
		x.backInBody = x.inDocument(body)
	}
	for _, list := range [][]returned{x.backInQuery, x.backInBody} {
		for _, r := range list {
			x.tags = append(x.tags, r.by...)
		}
	}
}

// own is the candidate's counterpart of what is handed back: that of the latest
// answer which it gave as the baseline did.
func (r returned) own() (v *version, u *Unresolved) {
	for i := len(r.by) - 1; i >= 0; i-- {
		if v = r.by[i]; v.by.answered && v.candidate != "" {
			return v, nil
		}
	}
	v = r.by[len(r.by)-1]
	if v.class == ofChange {
		return nil, nil // often shown, seldom looked at
	}
	u = v.missing()
	u.Kind = strings.TrimPrefix(v.class, "@")
	return nil, u
}

// hands says whether a name that the request needs is handed back, wherever it
// stands but in the path.
func (x *Exchange) hands(n need) bool {
	for _, list := range [][]returned{x.backInQuery, x.backInBody} {
		for _, r := range list {
			if v, _ := r.own(); v != nil && v.recorded == n.name && !strings.Contains(pathOf(string(x.recorded.GetRequest().GetTarget())), n.name) {
				return true
			}
		}
	}
	return false
}

// unhanded says what the request hands back and the candidate did not give.
func (x *Exchange) unhanded() *Unresolved {
	for _, list := range [][]returned{x.backInQuery, x.backInBody} {
		for _, r := range list {
			if _, u := r.own(); u != nil {
				return u
			}
		}
	}
	return nil
}
