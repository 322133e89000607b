package source

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

const (
	// maxSteps bounds how many anchors, aliases and tags stand before a value.
	maxSteps = 32
	// maxVisits bounds the values of a document in which each use of an alias
	// counts: a few lines can name a billion.
	maxVisits = 100_000
)

// targets are the values that the aliases of a document stand for: each is the
// last anchor of its name above it.
func targets(document ast.Node) map[*ast.AliasNode]ast.Node {
	v := &anchors{byName: map[string]ast.Node{}, targets: map[*ast.AliasNode]ast.Node{}}
	ast.Walk(v, document)
	return v.targets
}

// anchors implements ast.Visitor, which sees the nodes in their order.
type anchors struct {
	byName  map[string]ast.Node
	targets map[*ast.AliasNode]ast.Node
}

func (a *anchors) Visit(n ast.Node) ast.Visitor {
	switch v := n.(type) {
	case *ast.AnchorNode:
		a.byName[v.Name.GetToken().Value] = v.Value
	case *ast.AliasNode:
		if target := a.byName[v.Value.GetToken().Value]; target != nil {
			a.targets[v] = target
		}
	}
	return a
}

// resolve follows anchors and aliases to the value. The tag of a single value
// stays before it, since it changes how it is read.
func (r *reader) resolve(n ast.Node, path string) (ast.Node, bool) {
	first := n.GetToken()
	if r.visited++; r.visited > maxVisits {
		if r.visited == maxVisits+1 {
			r.say(path, first, nil, fmt.Sprintf("its aliases make more than %d values of the document", maxVisits))
		}
		return nil, false
	}
	var tag *ast.TagNode
	for range maxSteps {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.AliasNode:
			if n = r.targets[v]; n == nil {
				r.say(path, v.GetToken(), nil, fmt.Sprintf("there is no anchor &%s above", v.Value.GetToken().Value))
				return nil, false
			}
		case *ast.TagNode:
			tag, n = v, v.Value
		case *ast.NullNode, *ast.MappingNode, *ast.SequenceNode:
			return n, true
		default:
			if tag != nil {
				tagged := *tag
				tagged.Value = n
				n = &tagged
			}
			return n, true
		}
	}
	r.say(path, first, nil, "its anchors lead in a circle")
	return nil, false
}

// entries are those of a mapping and then what it merges (<<: *a, or a list of
// them), https://yaml.org/type/merge.html: its own come before those merged,
// and of these the earlier before the later.
func (r *reader) entries(m *ast.MappingNode, path string) []*ast.MappingValueNode {
	all := merging{reader: r, path: path, seen: map[string]bool{}, open: map[*ast.MappingNode]bool{}}
	all.add(m)
	return all.entries
}

// merging collects the entries of one mapping.
type merging struct {
	*reader
	path    string
	entries []*ast.MappingValueNode
	seen    map[string]bool
	open    map[*ast.MappingNode]bool // those that are being merged
}

func (c *merging) add(m *ast.MappingNode) {
	own, merges := map[string]bool{}, []ast.Node(nil)
	for _, v := range m.Values {
		if v.Key.IsMergeKey() {
			merges = append(merges, v.Value)
			continue
		}
		key, ok := c.key(v.Key, c.path)
		if !ok {
			continue
		}
		name := key.GetToken().Value
		if own[name] {
			c.say(c.path, key.GetToken(), nil, fmt.Sprintf("key %s stands here twice", name))
		}
		own[name] = true
		if !c.seen[name] {
			c.seen[name] = true
			c.entries = append(c.entries, ast.MappingValue(v.Start, key, v.Value))
		}
	}
	c.open[m] = true
	for _, n := range merges {
		c.merge(n, true)
	}
	delete(c.open, m)
}

// merge adds the entries of a mapping, or of a list of them.
func (c *merging) merge(n ast.Node, list bool) {
	n, ok := c.resolve(n, c.path)
	if !ok {
		return
	}
	switch v := n.(type) {
	case *ast.MappingNode:
		if c.open[v] {
			c.say(c.path, start(v), nil, "its merges lead in a circle")
			return
		}
		c.add(v)
	case *ast.SequenceNode:
		if !list {
			c.say(c.path, start(v), nil, notSection)
			return
		}
		for _, each := range v.Values {
			c.merge(each, false)
		}
	default:
		c.say(c.path, start(n), nil, notSection)
	}
}

// key is the single value that a key is.
func (r *reader) key(k ast.MapKeyNode, path string) (ast.MapKeyNode, bool) {
	n := ast.Node(k)
	if explicit, ok := n.(*ast.MappingKeyNode); ok {
		n = explicit.Value
	}
	n, ok := r.resolve(n, path)
	if !ok {
		return nil, false
	}
	if tag, ok := n.(*ast.TagNode); ok {
		n = tag.Value
	}
	scalar, ok := n.(ast.ScalarNode)
	if !ok {
		r.say(path, start(n), nil, "is not a key; want a word")
	}
	return scalar, ok
}
