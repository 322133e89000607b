package substitute

import (
	"net/url"
	"regexp"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// version is what an answer said of the version of a resource: an entity tag or
// the time of its last change (RFC 9110, section 8.8), which a later request
// may make a condition of.
type version struct {
	resource            string // its recorded path
	recorded, candidate string
	by                  *origin

	// Of what stood in a document, see handing: number says that the candidate's is a
	// number there.
	class, path, id string
	number          bool
}

// maxVersions bounds the versions of a session, and those under one tag.
const (
	maxVersions = 4096
	maxOfTag    = 16
)

var entityTag = regexp.MustCompile(`(?:W/)?"[^"]*"`)

// opaque is the part of an entity tag that tells versions apart.
func opaque(tag string) string { return strings.TrimPrefix(strings.TrimSpace(tag), "W/") }

// conditions are the fields that carry versions: which field of an answer they
// repeat, and whether the request does something else when they do not hold.
var conditions = map[string]struct {
	of     string
	guards bool
}{
	"If-Match":            {"ETag", true},
	"If-None-Match":       {"ETag", false},
	"If-Range":            {"ETag", false},
	"If-Unmodified-Since": {"Last-Modified", true},
	"If-Modified-Since":   {"Last-Modified", false},
}

func pathOf(target string) string {
	path, _, _ := strings.Cut(target, "?")
	if i := strings.Index(path, "://"); i >= 0 {
		if slash := strings.IndexByte(path[i+3:], '/'); slash >= 0 {
			return path[i+3+slash:]
		}
	}
	return path
}

// resource is the recorded path of what the answer is a version of.
func (x *Exchange) resource() string {
	if x.recorded.GetRequest().GetMethod() == "POST" {
		for _, name := range []string{"Content-Location", "Location"} {
			if to := message.First(x.recorded.GetResponse().GetHeaders(), name); to != "" {
				return pathOf(to)
			}
		}
	}
	return pathOf(string(x.recorded.GetRequest().GetTarget()))
}

// versions remembers those that the recorded answer gives.
func (x *Exchange) versions() {
	a, resource := x.recorded.GetResponse(), x.resource()
	for _, field := range []string{"ETag", "Last-Modified"} {
		key := opaque(message.First(a.GetHeaders(), field))
		if key != "" {
			x.keep(key, &version{resource: resource, recorded: key, by: x.origin})
		}
	}
}

// keep remembers what the recorded answer gives, unless the session has too much of
// that already.
func (x *Exchange) keep(key string, v *version) {
	s := x.session
	list := s.tags[key]
	switch {
	case list == nil && len(s.tags) >= maxVersions:
		return
	case len(list) >= maxOfTag:
		list = list[1:]
	default:
		s.grow(1)
	}
	s.tags[key] = append(list[:len(list):len(list)], v)
	x.given = append(x.given, v)
}

// answerVersions takes the candidate's counterparts.
func (x *Exchange) answerVersions(answer *understudyv1.Response) {
	for _, v := range x.given {
		if v.class != "" {
			continue
		}
		field := "Last-Modified"
		if strings.HasPrefix(v.recorded, `"`) {
			field = "ETag"
		}
		v.candidate = strings.TrimSpace(message.First(answer.GetHeaders(), field))
	}
}

// conditions finds the versions that the request needs.
func (x *Exchange) conditions() {
	x.queryTags(func(v *version) string { x.tags = append(x.tags, v); return "" })
	for name, c := range conditions {
		for _, value := range message.Values(x.recorded.GetRequest().GetHeaders(), name) {
			for _, tag := range tagsOf(c.of, value) {
				if v := x.version(tag); v != nil {
					x.tags = append(x.tags, v)
				}
			}
		}
	}
}

func tagsOf(field, value string) []string {
	if field == "ETag" && strings.Contains(value, `"`) {
		return entityTag.FindAllString(value, -1)
	}
	return []string{value}
}

// version finds the latest version that a tag can mean: of the same resource,
// or of the only one that has it.
func (x *Exchange) version(tag string) *version {
	resource := pathOf(string(x.recorded.GetRequest().GetTarget()))
	var of, other *version
	several := false
	for _, v := range x.session.tags[opaque(tag)] {
		switch {
		case v.by.sequence >= x.origin.sequence: // later in the schedule
		case v.resource == resource:
			of = v
		default:
			several = several || other != nil && other.resource != v.resource
			other = v
		}
	}
	if of == nil && !several {
		of = other
	}
	if of != nil {
		return of
	}
	// The version is a member of what was answered.
	plain := strings.Trim(opaque(tag), `"`)
	for _, class := range []string{ofTag, ofVersion, ofRevision, ofChange} {
		if found := x.handed(class, plain, resource, ""); len(found) > 0 && plain != "" {
			return found[len(found)-1]
		}
	}
	return nil
}

// spell writes the candidate's version as a request had written the baseline's.
func (v *version) spell(tag string) string {
	if v.class == "" || !strings.HasPrefix(opaque(tag), `"`) || strings.Contains(v.candidate, `"`) {
		return v.candidate
	}
	return strings.Replace(tag, opaque(tag), `"`+v.candidate+`"`, 1)
}

// queryTags goes over the values of the query that are entity tags, as in
// ?since="3", and gives the target with what is put in their place, if anything.
func (x *Exchange) queryTags(put func(*version) string) string {
	target := string(x.recorded.GetRequest().GetTarget())
	path, query, ok := strings.Cut(target, "?")
	if !ok {
		return target
	}
	fields := strings.Split(query, "&")
	for i, f := range fields {
		name, raw, _ := strings.Cut(f, "=")
		value, err := url.QueryUnescape(raw)
		if err != nil || entityTag.FindString(value) != value || value == "" {
			continue
		}
		if v := x.version(value); v != nil {
			if with := put(v); with != "" {
				fields[i] = name + "=" + url.QueryEscape(with)
			}
		}
	}
	return path + "?" + strings.Join(fields, "&")
}

// unmet says which version the request depends on and the candidate did not
// give.
func (x *Exchange) unmet() (u *Unresolved) {
	x.queryTags(func(v *version) string {
		if u == nil {
			u = v.missing()
		}
		return ""
	})
	if u != nil {
		return u
	}
	for name, c := range conditions {
		for _, value := range message.Values(x.recorded.GetRequest().GetHeaders(), name) {
			for _, tag := range tagsOf(c.of, value) {
				if v := x.version(tag); v != nil && c.guards {
					if u := v.missing(); u != nil {
						return u
					}
				}
			}
		}
	}
	return nil
}

// missing says why the candidate's counterpart is not known.
func (v *version) missing() *Unresolved {
	switch {
	case !v.by.answered:
		return &Unresolved{"version", v.recorded, v.by.exchange, whyLost}
	case v.candidate == "":
		return &Unresolved{"version", v.recorded, v.by.exchange, "the candidate's answer names none"}
	}
	return nil
}

// condition puts the candidate's versions into a field; empty if its answers
// named none, so that a client of it would make no condition.
func (x *Exchange) condition(name, value string) string {
	versions, missing := tagsOf(conditions[name].of, value), 0
	for _, tag := range versions {
		if v := x.version(tag); v != nil && v.by.answered && v.candidate == "" {
			missing++
		}
	}
	if missing > 0 && missing == len(versions) {
		return ""
	}
	put := func(tag string) string {
		if v := x.version(tag); v != nil && v.candidate != "" {
			return v.spell(tag)
		}
		return tag
	}
	if conditions[name].of == "ETag" && !strings.Contains(value, `"`) {
		return put(value) // an If-Range with a date
	}
	if conditions[name].of == "ETag" {
		return entityTag.ReplaceAllStringFunc(value, put)
	}
	return put(value)
}
