package redact

import (
	"strings"

	"understudy.dev/exchange/message"
)

// Listed is a rule as it is shown.
type Listed struct {
	// Rule is its label, as in Hit.
	Rule string `json:"rule"`
	// Places and About say of which values it is, Action what it does to them.
	Places string `json:"places"`
	About  string `json:"about"`
	Action string `json:"action"`
}

// List lists the rules of a configuration, which decide first, and those that
// hold by default, in their order.
func (cfg Config) List() []Listed {
	if cfg.Off {
		return []Listed{{"off", "all", "everything", actionKeep}}
	}
	var out []Listed
	for i, c := range compile(cfg.Rules) {
		r := cfg.Rules[i]
		var about []string
		say := func(word string, values ...string) {
			if len(values) > 0 {
				about = append(about, word+" "+strings.Join(values, ", "))
			}
		}
		say("names", r.Names...)
		say("shapes", r.Shapes...)
		if r.Pattern != "" {
			say("pattern", r.Pattern)
		}
		if len(about) == 0 {
			about = []string{"everything"}
		}
		places := "all"
		if len(r.Places) > 0 {
			places = strings.Join(r.Places, ", ")
		}
		out = append(out, Listed{c.label, places, strings.Join(about, "; "), r.Action})
	}
	add := func(rule, places, about, action string) { out = append(out, Listed{rule, places, about, action}) }
	if len(cfg.Keep) > 0 {
		add("keep", "all but cookies", "names "+strings.Join(cfg.Keep, ", "), actionKeep)
	}
	add(labelHeader, "header, trailer", strings.Join(append(DefaultHeaders(), cfg.Headers...), ", "), actionToken)
	add(labelHeader, "cookie", "every value", actionToken)
	add(labelHeader, "header", strings.Join(message.BodyDigests(), ", ")+", where something in the body was replaced", actionToken)
	add(labelNames, "all", strings.Join(append(DefaultQuery(), cfg.Query...), ", "), actionToken)
	add(labelNames, "all", "names that end in a word for a secret: "+strings.Join(secretEnds, ", ")+"; in JSON a number only under a name for one, such as otp, pin or cvv", actionToken)
	add(labelNames, "query, fragment, path", "code, key: values of 12 bytes or more; in bodies random ones", actionToken)
	add(labelNames, "path", "what looks made by a machine behind such a name (/reset/…), (S(…))", actionToken)
	add("userinfo", "every URL", "user and password", actionToken)
	for _, s := range shapeNames {
		add(s, "all", shapeMeanings[s], actionToken)
	}
	if cfg.AllowList {
		add(labelAllow, "all", "whatever nothing above keeps; bodies that cannot be taken apart are withheld", actionToken)
	}
	return out
}

var shapeMeanings = map[string]string{
	"jwt":         "JSON Web Tokens (RFC 7519)",
	"bearer":      "what looks made by a machine behind Bearer or Basic",
	"api_key":     "keys that their makers mark: sk_live_…, ghp_…, AKIA…, and others",
	"private_key": "private keys in PEM (RFC 7468)",
	"card":        "numbers of payment cards of a known scheme whose check digit is right (ISO/IEC 7812), but bare digits in headers and under names that end in id; numbers in JSON and segments of paths under a name for cards",
	"iban":        "account numbers whose check digits are right (ISO 13616)",
	"email":       "e-mail addresses",
	"phone":       "telephone numbers with a plus and 10 digits or more; under a name for them (phone, mobile, tel, fax) whole values of 7 digits or more",
}
