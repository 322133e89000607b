package demo

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"regexp"
	"strings"
)

var (
	identifier = regexp.MustCompile(`\b([a-z]{3}_[0-9]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\b`)
	token      = regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+\.[\w-]+`)
	timestamp  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
)

func normalPath(path string) string { return identifier.ReplaceAllString(path, "{id}") }

// normal takes the documented noise out of a body: member order, the spelling
// of numbers, identifiers and times.
func normal(text string) string {
	text = token.ReplaceAllStringFunc(text, claims)
	text = timestamp.ReplaceAllString(identifier.ReplaceAllString(text, "{id}"), "{time}")
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return text
	}
	out, _ := json.MarshalIndent(numbers(v), "", " ")
	return string(out)
}

// claims shows a token by what it says beside its times and its own id.
func claims(text string) string {
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[1])
	var v map[string]any
	if err != nil || json.Unmarshal(payload, &v) != nil {
		return text
	}
	for _, name := range []string{"iat", "exp", "jti"} {
		delete(v, name)
	}
	out, _ := json.Marshal(v)
	return strings.ReplaceAll(string(out), `"`, "'")
}

func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = numbers(v[name])
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case json.Number:
		if r, ok := new(big.Rat).SetString(v.String()); ok {
			return []string{"number", r.RatString()}
		}
	}
	return v
}
