package substitute

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// need is a name that stands in a request.
type need struct {
	at   names.Place
	name string
	// made are those who made it, as far as the recording shows.
	made []entry
	// unknown: it may have been made by what is forgotten.
	unknown bool
	// unclear: those who made it made something of another kind, as far as the
	// recording tells, and the place may mean that.
	unclear bool
	// listed are those in whose answers other sessions had seen it.
	listed []entry
	// fixed: it stands where nothing can be replaced.
	fixed bool
	// concealed gave it, of which the recording holds only the token.
	concealed *credential
	// anywhere: it is a number behind a word that tells nothing, see anywhere.
	anywhere bool
}

// mute are fields that hold no names of things, beside those of connections.
var mute = map[string]bool{}

func init() {
	for _, name := range strings.Fields("Accept Accept-Charset Accept-Encoding Accept-Language Authorization Cache-Control Content-Encoding " +
		"Content-Language Content-Length Content-Md5 Content-Digest Content-Type Cookie Date Digest Dnt Etag Expect Expires Host If-Match " +
		"If-Modified-Since If-None-Match If-Range If-Unmodified-Since Last-Modified Origin Pragma Priority Range Repr-Digest Retry-After " +
		"Server Set-Cookie Te Traceparent Tracestate Upgrade-Insecure-Requests User-Agent Vary Via X-Forwarded-For X-Forwarded-Host " +
		"X-Forwarded-Proto X-Real-Ip") {
		mute[name] = true
	}
	for _, name := range strings.Fields("X-Request-Id X-Correlation-Id X-Trace-Id X-Span-Id X-Amzn-Trace-Id X-B3-Traceid X-B3-Spanid X-B3-Parentspanid") {
		tracing[name] = true
	}
}

// tracing are fields by which each answer is told from others. In a request they may
// hold the name of a thing, or have been made of one.
var tracing = map[string]bool{}

// hasNames says whether a field may hold names of things.
func hasNames(name string) bool {
	name = http.CanonicalHeaderKey(name)
	return !mute[name] && !strings.HasPrefix(name, "Sec-") && !strings.HasPrefix(name, ":") && !message.IsHopByHop(name)
}

// tellsNames says whether a field of an answer may hold names of things.
func tellsNames(name string) bool { return hasNames(name) && !tracing[http.CanonicalHeaderKey(name)] }

// fields looks for names in the header fields that may hold some.
func fields(f *names.Finder, headers []*understudyv1.Header, may func(name string) bool) {
	for _, h := range headers {
		if !may(h.GetName()) {
			continue
		}
		value := string(h.GetValue())
		if strings.EqualFold(h.GetName(), "Link") {
			links(value, func(target string) string { f.Target(target); return target })
			continue
		}
		f.Value(h.GetName(), value)
	}
}

// links goes over the targets of a Link field (RFC 8288).
func links(value string, with func(string) string) string {
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(value, "<")
		target, after, closed := strings.Cut(rest, ">")
		if !ok || !closed {
			out.WriteString(value)
			return out.String()
		}
		out.WriteString(before + "<" + with(target) + ">")
		value = after
	}
}

// need finds the names that the request holds and who made them.
func (x *Exchange) need(body []byte) {
	s, q := x.session, x.recorded.GetRequest()
	target := string(q.GetTarget())
	toldOf := x.told(body)
	x.as = also(meanings(q, body), toldOf)
	f := names.NewSeeker(target, s.knows).Of(sameHosts(q)).As(x.as)
	x.loose, x.constant, x.measures = loose(target, s.knows), ofConstants(target), measured(body)
	path, query, _ := strings.Cut(target, "?")
	f.Target(path)
	found, _ := f.Found()
	var odd []names.Name
	for _, segment := range names.Segments(path, s.knows) { // that are only known to be names
		whole, _, _ := strings.Cut(path[segment.From:], "/")
		text, err := url.PathUnescape(whole)
		n := names.Name{Place: segment.Place, Value: names.Value{Text: text}}
		isOther := whole == segment.Text && plainNumber(text) != text // "7 "
		if err != nil || segment.Place.Kind == "" || names.CanName(n.Value) && !isComposed(text) {
			continue
		}
		if isOther || len(s.made.find(n.Place, text)) > 0 || len(s.parts(n.Place, text)) > 0 {
			odd = append(odd, n)
		}
	}
	inPath := len(found)
	f.Form([]byte(query))
	fields(f, q.GetHeaders(), hasNames)
	fields(f, q.GetTrailers(), hasNames)
	contentType := message.First(q.GetHeaders(), "Content-Type")
	if text := decoded(contentType, body); !bytes.Equal(text, body) {
		contentType, body = "text/plain", text // where nothing is replaced
	}
	form := formatOf(contentType, body)
	switch form {
	case asForm:
		f.Form(body)
	case asJSON:
		f.JSON(body)
	}
	found, _ = f.Found()
	replaced := len(found)
	x.inValues(f, query)
	if form == asForm {
		x.inValues(f, string(body))
	}
	x.inFields(f, q.GetHeaders())
	beside, _, _ := strings.Cut(path, ";")
	f2 := names.NewSeeker(beside, s.knows)
	for segment := range strings.SplitSeq(path, "/") { // matrix parameters
		for parameter := range strings.SplitSeq(segment, ";") {
			if name, value, ok := strings.Cut(parameter, "="); ok {
				f2.Value(name, value)
			}
		}
	}
	var told *names.Finder // surely not replaced
	whole := true
	if len(body) > 0 {
		told = names.NewSeeker(target, s.knows)
	}
	if isPacked(contentType, body) {
		x.packed(f, told, contentType, body)
	} else if form == asParts {
		whole = parts(f, contentType, body, func(text string) { x.wordless(f, text) })
	} else if form == asJSON {
		if document, _ := names.Parse(body); document == nil {
			whole = words(f, "text/plain", append([]byte(" "), body...))
		}
		expressions(f, body)
		described(told, f, body, collection(target))
		x.elements(f, body)
	} else if form != asForm {
		whole = words(f, contentType, body)
		x.written(f, contentType, body)
	}
	found, cut := f.Found()
	for _, m := range glued.FindAllStringSubmatch(path, maxSaid) {
		f2.Value(m[1], m[2])
	}
	if strings.Contains(path, "(") {
		for _, m := range keyed.FindAllStringSubmatch(path, maxSaid) {
			f2.Value(m[1], m[2])
		}
	}
	inMatrix, _ := f2.Found()
	if strings.Contains(path, "-") {
		inMatrix = append(inMatrix, slugs(path, s.knows)...)
	}
	found = append(append(found, inMatrix...), odd...)
	found = append(found, pages(query, form, body)...)
	type place struct {
		names.Place
		name string
	}
	seen := map[place]bool{}
	for i, n := range found {
		at := place{n.Place, n.Value.Text}
		if seen[at] {
			continue
		}
		seen[at] = true
		x.want(n, i < inPath && n.Place.Kind != "", i >= replaced && n.Place.Kind != names.Cursor.Kind)
	}
	if told != nil {
		fixed, _ := told.Found()
		for _, n := range fixed {
			if !replacedAs(toldOf, n) {
				x.want(n, false, true)
			}
		}
	}
	if cut || !whole || len(body) == 0 && len(q.GetBody().GetContent()) > 0 && hasPlaces(contentType) {
		x.unseen = true
	}
	x.attends(body)
	x.returns(form, query, body)
	x.conditions()
}

// want takes one name of the request. A number or a word that nobody made, at a
// place of no kind that was made or listed, is the client's own choice.
func (x *Exchange) want(n names.Name, inPath, fixed bool) {
	s, name := x.session, n.Value.Text
	var made []entry
	own := false
	for _, e := range s.made.find(n.Place, name) {
		if own = own || e.by == nil; e.by != nil {
			made = append(made, e)
		}
	}
	for _, e := range s.memory.created.origins(n.Place, name) {
		if !contains(made, e.by) {
			made = append(made, e)
		}
	}
	made = s.memory.created.living(n.Place.Kind, name, made)
	plain := plainUUID(name)
	if plain == name {
		plain = plainNumber(name)
	}
	if len(made) == 0 && !own && plain != name {
		if made = s.made.find(n.Place, plain); len(made) == 0 {
			made = s.memory.created.origins(n.Place, plain)
		}
		if len(made) > 0 {
			name, fixed = plain, true
		}
		made = slices.DeleteFunc(made, func(e entry) bool { return e.by == nil })
	}
	unclear, inDoubt := false, false
	if len(made) == 0 && !own {
		target := string(x.recorded.GetRequest().GetTarget())
		call := !inPath && n.Place.Named && n.Place.Kind == names.Family(target, nil) && (x.loose || !s.tells(target))
		made = s.unclear(call, n.Place, name)
		switch {
		case len(made) > 0:
		case !n.Place.Named:
			if made = s.madeAs(n.Place, name); len(made) == 0 {
				made = s.called(n.Place, name)
			}
		default:
			if made = s.parts(n.Place, name); len(made) == 0 {
				made = s.called(n.Place, name)
			}
		}
		if unclear = len(made) > 0; !unclear && x.anywhere(n, inPath) {
			inDoubt = true
		}
	}
	var listed []entry
	if len(made) == 0 && !own && (n.Place.Named || names.IsUnmistakable(name) && !redact.IsSecret(n.Place.Kind)) {
		listed = s.memory.created.lists(n.Place, name)
	}
	matters := inPath || len(listed) > 0 || names.IsUnmistakable(name) || n.Place.Kind != "" && s.listed(n.Place, name)
	for _, e := range made {
		matters = matters || e.created || unclear || e.kind == names.Cursor.Kind || s.kinds[e.kind] ||
			e.kind != "" && n.Place.Named && (e.written || names.IsDigits(name) && len(name) >= longNumber || names.ArePersons(e.kind, e.kind))
	}
	if constant := !inPath && !n.Place.Named && areConstant(made, name); !matters || constant {
		switch {
		case own || constant:
		case len(made) > 0:
			x.anywhere(n, inPath)
		case n.Place.Named && !inDoubt:
			x.concealed(n.Place, name)
		}
		return
	}
	isNew := len(made) == 0 && !own
	if isNew && !inDoubt && x.concealed(n.Place, name) {
		return
	}
	// What is unique is at least nobody else's.
	unknown := isNew && !names.IsUnique(name) && (s.forgot && (inPath || s.kinds[n.Place.Kind]) || s.cut[n.Place.Kind])
	x.needs = append(x.needs, need{at: n.Place, name: name, made: made, unknown: unknown, unclear: unclear, listed: listed, fixed: fixed})
	if isNew && !unknown && !inDoubt && (n.Place.Named || names.IsUnmistakable(name)) {
		s.note(name, entry{kind: kindAt(n.Place), sequence: x.origin.sequence})
	}
}

func contains(list []entry, by *origin) bool {
	for _, e := range list {
		if e.by == by {
			return true
		}
	}
	return false
}

// listed says whether things of the kind at a place were made or listed in the
// session.
func (s *session) listed(at names.Place, name string) bool {
	if s.kinds[at.Kind] {
		return true
	}
	for kind := range s.kinds {
		if at.Fits(kind, name) {
			return true
		}
	}
	return false
}

// kindAt is what a name at a place names, if the place tells.
func kindAt(at names.Place) string {
	if !at.Named {
		return ""
	}
	return at.Kind
}

// knows says whether a word in a path is a name.
func (s *session) knows(at names.Place, word string) bool {
	if at.Kind == "" {
		return false
	}
	return s.made.has(at, word, anyEntry) || s.memory.created.makes(at, word)
}

// longNumber is from how many digits on a number that an answer held as a name is
// hardly one out of a few choices.
const longNumber = 4

// madeAs finds who made what a number or a word may mean at a place that is only
// called like its kind: "order": 17 may be the order, or a rank.
func (s *session) madeAs(at names.Place, name string) (made []entry) {
	at.Named = true
	for _, e := range append(s.made.find(at, name), s.memory.created.origins(at, name)...) {
		if e.by != nil && (e.created || e.written && e.kind != "") && !contains(made, e.by) {
			made = append(made, e)
		}
	}
	return made
}

// called finds who made what a place may be about by the words that it is called
// by: favourite_order_id, replacesOrderId, order_id_to_copy and order_ref are about
// an order, order_count is not.
func (s *session) called(at names.Place, name string) (made []entry) {
	if at.Kind == "" {
		return nil
	}
	parts := strings.Split(at.Kind, "_")
	for _, e := range append(s.made.all(name), s.memory.created.named(name)...) {
		if e.by == nil || !e.created || e.kind == "" || contains(made, e.by) {
			continue
		}
		is, _ := names.Calls(at.Kind, e.kind)
		if is || slices.Contains(parts, e.kind) && slices.ContainsFunc(parts, names.IsDesignator) {
			made = append(made, e)
		}
	}
	return made
}

// glued is a kind with a number behind it: order-17.pdf, and keyed one beside it:
// lines(order=17,product=3).
var (
	glued = regexp.MustCompile(`\b([A-Za-z]{2,32})[-_]?(\d{1,18})(?:\b|_)`)
	keyed = regexp.MustCompile(`[(,]([A-Za-z_]\w*)=['"]?([\w-]+)`)
)

// slug is a name with a title before it or behind it: 17-two-blue-ones.
var slug = regexp.MustCompile(`^(?:(\d{1,18})-[A-Za-z][\w-]*|[A-Za-z][\w-]*-(\d{1,18}))$`)

// slugs are the numbers in the slugs of a path. What is known to be a name as a
// whole is none.
func slugs(path string, known func(names.Place, string) bool) (out []names.Name) {
	for _, segment := range names.Segments(path, known) {
		if m := slug.FindStringSubmatch(segment.Text); m != nil && segment.Place.Kind != "" && !known(segment.Place, segment.Text) {
			out = append(out, names.Name{Place: segment.Place, Value: names.Value{Text: m[1] + m[2]}})
		}
	}
	return out
}

// plainNumber is a number in its usual spelling if it is in another: 007, #7, "7 ",
// (7), 7.0; any other text as it is.
func plainNumber(s string) string {
	plain := strings.Trim(s, " \t#@+!<>=~'\"(){}")
	if whole, rest, ok := strings.Cut(plain, "."); ok && strings.Trim(rest, "0") == "" {
		plain = whole
	}
	if plain = strings.TrimLeft(plain, "0"); names.IsDigits(plain) {
		return plain
	}
	return s
}

// isComposed says whether a text is of several parts.
func isComposed(s string) bool { return strings.ContainsAny(s, joints) }

// joints join the parts of a composed name: 17:3, o-17~3, 17,3, 17..19.
const joints = ":.~|_,;-"

// maxParts is of how many parts a composed name is taken apart.
const maxParts = 16

// parts finds who made what a composed name consists of, if nobody made it as a
// whole: it has to be composed of the candidate's names. Those of a list that may
// stand at the place are names of their own.
func (s *session) parts(at names.Place, name string) (made []entry) {
	if !isComposed(name) || len(name) > maxShown || names.IsUnique(name) || names.IsDate(name) {
		return nil
	}
	for _, joint := range joints {
		parts := strings.FieldsFunc(name, func(r rune) bool { return r == joint })
		if len(parts) < 2 || len(parts) > maxParts || slices.ContainsFunc(parts, func(p string) bool { return !endsInDigit(p) }) ||
			strings.ContainsRune("_-.", joint) && slices.ContainsFunc(parts, func(p string) bool { return !names.IsDigits(p) }) {
			continue
		}
		isList := strings.ContainsRune(",|;", joint)
		for _, part := range parts {
			for _, e := range s.made.all(part) {
				if e.created && !contains(made, e.by) && !(isList && at.Fits(e.kind, part)) {
					made = append(made, e)
				}
			}
		}
	}
	return made
}

func endsInDigit(s string) bool { return names.IsDigits(s[len(s)-1:]) }

// unclear finds who wrote a name under another kind, where the place or that
// kind is one that tells little: the id in an answer to /checkout may be that of
// an order, a resource_id and the id in a call of procedures that of anything.
func (s *session) unclear(call bool, at names.Place, name string) (made []entry) {
	for _, end := range []string{"_number", "_no", "_nr", "_num"} {
		if kind, ok := strings.CutSuffix(at.Kind, end); ok {
			for _, e := range s.made.find(names.Place{Kind: kind, Named: true}, name) {
				if e.created && names.IsDigits(name) {
					made = append(made, e)
				}
			}
			return made
		}
	}
	vague := vagueKinds[at.Kind] || at.Named && (vagueNames[at.Kind] || strings.HasSuffix(at.Kind, "able") || at.Scope == "" && (at.Kind == "" || call))
	if !at.Named && !vague || names.IsUnmistakable(name) {
		return nil
	}
	for _, e := range s.made.all(name) {
		if e.by == nil || e.kind == "" {
			continue
		}
		if e.written && (e.loose || vague) || vagueKinds[at.Kind] && s.kinds[e.kind] || at.Named && (e.found || names.ArePersons(e.kind, at.Kind)) {
			made = append(made, e)
		}
	}
	return made
}
