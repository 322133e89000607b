package source

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"understudy.dev/setting"
)

// Read puts the YAML document over what into, a pointer to a struct, holds and
// notes in origins where each value stands. All mistakes are returned, as
// Mistakes; the values that are right are set nevertheless, so that a
// validation can go on.
func Read(data []byte, name string, into any, origins Origins) error {
	r := &reader{name: name, origins: origins, first: len(origins) == 0}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // some editors begin a file with it
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return Mistakes{r.syntax(err)}
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	if len(bodies) == 0 {
		return nil
	}
	for _, body := range bodies[1:] {
		r.say("", start(body), nil, "a second YAML document; a configuration is one")
	}
	r.targets = targets(bodies[0])
	document, ok := r.node(bodies[0], reflect.TypeOf(into).Elem(), "", start(bodies[0]))
	if !ok {
		return r.mistakes.Err()
	}
	if err := yaml.NodeToValue(document, into, yaml.Strict()); err != nil && len(r.mistakes) == 0 {
		return Mistakes{r.syntax(err)}
	}
	return r.mistakes.Err()
}

// reader walks a document beside the type that it is to fill.
type reader struct {
	name     string
	origins  Origins
	first    bool // nothing had an origin before
	mistakes Mistakes
	targets  map[*ast.AliasNode]ast.Node
	visited  int // values so far, each use of an alias counted
}

func (r *reader) at(t *token.Token) Origin {
	if t == nil || t.Position == nil {
		return Origin{Kind: File, Name: r.name, Line: 1, Column: 1}
	}
	return Origin{Kind: File, Name: r.name, Line: t.Position.Line, Column: t.Position.Column}
}

// note is Set, which looks at all origins, but where there is nothing to
// replace.
func (r *reader) note(path string, from Origin) {
	if r.first {
		r.origins[path] = from
		return
	}
	r.origins.Set(path, from)
}

func (r *reader) say(path string, t *token.Token, value any, fault string) {
	r.mistakes = append(r.mistakes, Mistake{setting.Problem{Path: path, Value: value, Fault: fault}, r.at(t)})
}

// syntax makes a mistake of an error of the parser.
func (r *reader) syntax(err error) Mistake {
	var e yaml.Error
	if errors.As(err, &e) {
		return Mistake{setting.Problem{Fault: e.GetMessage()}, r.at(e.GetToken())}
	}
	return Mistake{setting.Problem{Fault: err.Error()}, r.at(nil)}
}

// node checks a value for a type and gives a copy of it without what is a
// mistake, and without anchors, aliases and merges: what is left out at one use
// of an alias may be right at the next. It is false when the value, or a part
// of it that cannot be left out, is a mistake. key is where the value is
// announced.
func (r *reader) node(n ast.Node, t reflect.Type, path string, key *token.Token) (ast.Node, bool) {
	n, ok := r.resolve(n, path)
	if !ok {
		return nil, false
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	_, null := n.(*ast.NullNode)
	switch {
	case null && IsSection(t):
		// Null would not leave the defaults in place but wipe them out.
		what := "section " + path
		if path == "" {
			what = "the document"
		}
		r.say(path, key, nil, what+" is empty; remove it")
		return nil, false
	case null:
		return n, true
	case IsSection(t), t.Kind() == reflect.Map:
		m, ok := n.(*ast.MappingNode)
		if !ok {
			what := ""
			if path == "" {
				what = "the document "
			}
			r.say(path, start(n), nil, what+notSection)
			return nil, false
		}
		return r.mapping(m, t, path), true
	case t.Kind() == reflect.Slice:
		return r.sequence(n, t, path)
	default:
		return n, r.scalar(n, t, path)
	}
}

// notSection does not repeat the value, which may hold a secret, such as a
// header.
const notSection = "is not a section of the form key: value"

// mapping checks a section or a map.
func (r *reader) mapping(m *ast.MappingNode, t reflect.Type, path string) ast.Node {
	var fields []Field
	if IsSection(t) {
		fields = slices.DeleteFunc(Fields(t), func(f Field) bool { return f.Hidden })
	}
	kept := ast.Mapping(m.Start, false)
	for _, v := range r.entries(m, path) {
		if value, ok := r.entry(v, t, fields, path); ok {
			kept.Values = append(kept.Values, ast.MappingValue(v.Start, v.Key, value))
		}
	}
	return kept
}

func (r *reader) entry(v *ast.MappingValueNode, t reflect.Type, fields []Field, path string) (ast.Node, bool) {
	key := v.Key.GetToken()
	at := setting.Member(path, key.Value)
	var of reflect.Type
	if IsSection(t) {
		at = setting.Join(path, key.Value)
		i := slices.IndexFunc(fields, func(f Field) bool { return f.Key == key.Value })
		if i < 0 {
			r.say(at, key, nil, "unknown key"+suggestion(key.Value, fields))
			return nil, false
		}
		of = fields[i].Type
	} else {
		of = t.Elem()
	}
	place := key
	if _, isScalar := v.Value.(ast.ScalarNode); isScalar {
		place = v.Value.GetToken()
	}
	r.note(at, r.at(place))
	return r.node(v.Value, of, at, key)
}

// sequence checks a list; one wrong element spoils it, unless it is a section,
// for which an empty one can stand.
func (r *reader) sequence(n ast.Node, t reflect.Type, path string) (ast.Node, bool) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.say(path, start(n), shown(n), "is not a list; want [a, b]")
		return nil, false
	}
	list, good := ast.Sequence(s.Start, true), true
	for i, v := range s.Values {
		at := setting.Index(path, i)
		r.note(at, r.at(start(v)))
		value, ok := r.node(v, t.Elem(), at, start(v))
		if !ok && IsSection(t.Elem()) {
			value, ok = ast.Mapping(start(v), false), true
		}
		list.Values = append(list.Values, value)
		good = good && ok
	}
	return list, good
}

// scalar checks a single value by decoding it.
func (r *reader) scalar(n ast.Node, t reflect.Type, path string) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.SequenceNode:
		r.say(path, start(n), shown(n), "is not a single value; want "+TypeName(t))
		return false
	}
	err := yaml.NodeToValue(n, reflect.New(t).Interface())
	if tag, ok := n.(*ast.TagNode); ok {
		n = tag.Value
	}
	if f, ok := n.(*ast.FloatNode); ok && t.Kind() != reflect.Float64 && t.Kind() != reflect.String && f.Value != math.Trunc(f.Value) {
		err = errors.New("fraction")
	}
	if err == nil {
		return true
	}
	value := shown(n)
	_, numeric := value.(plain)
	r.say(path, start(n), value, Fault(t, numeric))
	return false
}

// plain text is shown as it stands, without quotes.
type plain string

// shown is what a message repeats of a value.
func shown(n ast.Node) any {
	switch n.(type) {
	case *ast.MappingNode:
		return plain("a section")
	case *ast.SequenceNode:
		return plain("a list")
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NanNode, *ast.InfinityNode:
		return plain(n.GetToken().Value)
	default:
		return n.GetToken().Value
	}
}

// start is the first token of a value.
func start(n ast.Node) *token.Token {
	switch v := n.(type) {
	case *ast.MappingNode:
		if len(v.Values) > 0 {
			return v.Values[0].Key.GetToken()
		}
	case *ast.SequenceNode:
		if len(v.Values) > 0 && !v.IsFlowStyle {
			return start(v.Values[0])
		}
	}
	return n.GetToken()
}
