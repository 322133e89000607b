package route

import (
	"errors"
	"iter"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// describedInYAML reads a description in YAML. It looks at the nodes that count
// and follows no alias, so that a small file cannot become a large one.
func describedInYAML(content []byte) (out description, err error) {
	file, err := parser.ParseBytes(content, 0)
	if err != nil {
		var e yaml.Error
		if errors.As(err, &e) {
			return out, placeAt(e.GetToken()).errorf("%s", e.GetMessage())
		}
		return out, place{1, 1}.errorf("%v", err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return out, nil
	}
	for name, value := range members(file.Docs[0].Body) {
		switch name.text {
		case "basePath":
			out.basePath = scalar(value)
		case "servers":
			if out.servers, err = servers(value); err != nil {
				return out, err
			}
		case "paths":
			if !isMapping(value) {
				return out, placeAt(value.GetToken()).errorf("paths is not a list of paths by their names")
			}
			out.hasPaths = true
			for path, item := range members(value) {
				p := describedPath{path: path.text, at: path.at}
				for name, value := range members(item) {
					if name.text == "servers" {
						if p.servers, err = servers(value); err != nil {
							return out, err
						}
					}
				}
				out.paths = append(out.paths, p)
			}
		}
	}
	return out, nil
}

type key struct {
	text string
	at   place
}

func placeAt(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{t.Position.Line, t.Position.Column}
}

func isMapping(n ast.Node) bool {
	switch unanchored(n).(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

func unanchored(n ast.Node) ast.Node {
	if a, ok := n.(*ast.AnchorNode); ok {
		return a.Value
	}
	return n
}

// members are those of a mapping; of anything else none.
func members(n ast.Node) iter.Seq2[key, ast.Node] {
	var values []*ast.MappingValueNode
	switch m := unanchored(n).(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	}
	return func(yield func(key, ast.Node) bool) {
		for _, v := range values {
			k := key{at: placeAt(v.Key.GetToken())}
			if n, ok := v.Key.(ast.Node); ok {
				k.text = scalar(n)
			}
			if !yield(k, v.Value) {
				return
			}
		}
	}
}

// scalar is the text of a value that is one.
func scalar(n ast.Node) string {
	switch s := unanchored(n).(type) {
	case *ast.StringNode:
		return s.Value
	case *ast.LiteralNode:
		return s.Value.Value
	case ast.ScalarNode:
		return s.GetToken().Value
	}
	return ""
}

func servers(n ast.Node) (out []server, err error) {
	list, ok := unanchored(n).(*ast.SequenceNode)
	if !ok {
		return nil, placeAt(n.GetToken()).errorf("servers is not a list")
	}
	for _, item := range list.Values {
		if !isMapping(item) {
			return nil, placeAt(item.GetToken()).errorf("a server has no url")
		}
		var s server
		for name, value := range members(item) {
			switch name.text {
			case "url":
				s.URL = scalar(value)
			case "variables":
				s.variables(value)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

func (s *server) variables(n ast.Node) {
	for name, value := range members(n) {
		v := s.Variables[name.text]
		for name, value := range members(value) {
			switch name.text {
			case "default":
				v.Default = scalar(value)
			case "enum":
				if list, ok := unanchored(value).(*ast.SequenceNode); ok {
					for _, x := range list.Values {
						v.Enum = append(v.Enum, scalar(x))
					}
				}
			}
		}
		if s.Variables == nil {
			s.Variables = map[string]variable{}
		}
		s.Variables[name.text] = v
	}
}
