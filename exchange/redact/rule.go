package redact

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// rule is a Rule made ready.
type rule struct {
	label   string
	places  uint16 // bits by place
	names   []string
	paths   []string
	shapes  uint16 // bits by shape
	pattern *regexp.Regexp
	action  string
}

func compile(rules []Rule) []rule {
	var out []rule
	for i, r := range rules {
		c := rule{label: "rules[" + strconv.Itoa(i) + "]", action: r.Action}
		for _, p := range r.Places {
			c.places |= 1 << slices.Index(placeNames[:], p)
		}
		if len(r.Places) == 0 {
			c.places = 1<<inBody - 1
		}
		for _, s := range r.Shapes {
			c.shapes |= 1 << (slices.Index(shapeNames, s) + 1)
		}
		for _, n := range r.Names {
			if n = strings.ToLower(n); n[0] == '/' {
				c.paths = append(c.paths, n)
			} else {
				c.names = append(c.names, n)
			}
		}
		if r.Pattern != "" {
			c.pattern = regexp.MustCompile(r.Pattern)
		}
		out = append(out, c)
	}
	return out
}

// isPartial says whether a rule is about parts of values.
func (c *rule) isPartial() bool { return c.shapes != 0 || c.pattern != nil }

// fitsName says whether a rule may be about values of a name, in lower case; one
// with paths may always.
func (c *rule) fitsName(lower string) bool {
	return len(c.names) == 0 || slices.ContainsFunc(c.names, func(n string) bool { return like(n, lower) })
}

// like matches a text with a pattern: * is any text, ? a character.
func like(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// name is what is known of values by their name.
type name struct {
	lower         string
	secret        bool
	open          bool // others use the name too: only long values are secrets
	number        bool // numbers in JSON are secrets too
	authorization bool // its values begin with a scheme
	holds         bool // what it holds are secrets, whatever they are called there
	many          bool // secrets may be the names of what it holds
	kept          bool // by Config.Keep
	isValue       bool // its value may belong to a name beside it, or around it
	isName        bool // and so says this one
	hint          hint
	rules         []int // those that may be about it
}

// lastPart is the last name of one that is made of several (user[password],
// user.password), without the mark of gRPC's binary fields.
func lastPart(name string) string {
	name = strings.TrimRight(name, "]")
	if n := len(name) - len("-bin"); n > 0 && strings.EqualFold(name[n:], "-bin") {
		name = name[:n]
	}
	return name[strings.LastIndexAny(name, "[./")+1:]
}

// nameOf is what is known of a name; of one that is long, by its end.
func (r *Redactor) nameOf(text string) *name { return r.names.Of(text) }

func (r *Redactor) describe(text string) *name {
	if len(text) > maxName {
		text = text[len(text)-maxName:]
	}
	n := &name{lower: strings.ToLower(text)}
	words := wordsOf(text)
	n.kept, n.isValue, n.isName = r.kept[n.lower], valueNames[n.lower], nameNames[n.lower]
	kept := n.kept
	part := lastPart(text)
	n.secret = !kept && (r.query[n.lower] || r.query[strings.ToLower(part)] || IsSecret(text) || part != text && IsSecret(part))
	n.open = !kept && !n.secret && openParameters[n.lower]
	n.authorization = strings.HasSuffix(n.lower, "authorization")
	if len(words) > 0 {
		last := words[len(words)-1]
		n.holds = n.secret && secretHolders[last]
		n.many = n.secret && strings.HasSuffix(last, "s")
		n.number = n.secret && numberEnds[last]
		switch {
		case slices.ContainsFunc(words, func(w string) bool { return cardWords[w] }):
			n.hint |= maybeCard
		case idWords[last]:
			n.hint |= isName
		}
		if slices.ContainsFunc(words, func(w string) bool { return phoneWords[w] }) && !idWords[last] {
			n.hint |= maybePhone
		}
	}
	for i := range r.rules {
		if c := &r.rules[i]; c.fitsName(n.lower) || len(c.paths) > 0 {
			n.rules = append(n.rules, i)
		}
	}
	return n
}

var (
	valueNames = setOf("value val values text raw data content string")
	nameNames  = setOf("name key field header param id type label attribute property parameter path")
	// secretHolders are the ends of names of things that hold secrets under names
	// which do not say so ({"secrets":{"db":…}}).
	secretHolders = setOf("secrets credentials passwords apikeys")
	// numberEnds are the ends of names whose numbers are secrets. Others count, or
	// name a thing.
	numberEnds = setOf("otp totp passcode password passwd pwd pass secret pin cvv cvc cvv2 cvc2 code token")
	cardWords  = setOf("card cards pan cc ccnum ccnumber creditcard cardnumber cardno")
	idWords    = setOf("id ids uuid guid ref reference key number no seq sequence version timestamp ts time nonce hash etag")
	phoneWords = setOf("phone telephone tel mobile msisdn cellphone phonenumber mobilenumber fax whatsapp")
)
