package accuracy

func text(s string) node { return lit{s} }
func num(s string) node  { return lit{number(s)} }

func join(parts ...any) node {
	c := cat{}
	for _, p := range parts {
		switch x := p.(type) {
		case string:
			c.parts = append(c.parts, lit{x})
		case *entity:
			c.parts = append(c.parts, ref{x})
		case node:
			c.parts = append(c.parts, x)
		}
	}
	return c
}

// of makes an object of "name", value, ….
func of(pairs ...any) *obj {
	o := &obj{}
	for i := 0; i < len(pairs); i += 2 {
		o.set(pairs[i].(string), nodeOf(pairs[i+1]))
	}
	return o
}

func nodeOf(v any) node {
	switch x := v.(type) {
	case node:
		return x
	case *entity:
		return ref{x}
	case []node:
		return &arr{x}
	}
	return lit{v}
}

func (n *obj) index(key string) int {
	for i, m := range n.members {
		if m.name == nil && m.key == key {
			return i
		}
	}
	return -1
}

func (n *obj) get(key string) node {
	if i := n.index(key); i >= 0 {
		return n.members[i].value
	}
	return nil
}

func (n *obj) set(key string, v node) {
	if i := n.index(key); i >= 0 {
		n.members[i].value = v
		return
	}
	n.members = append(n.members, &field{key: key, value: v})
}

func (n *obj) remove(key string) {
	if i := n.index(key); i >= 0 {
		n.members = append(n.members[:i:i], n.members[i+1:]...)
	}
}

// clone copies what can be changed in place.
func clone(n node) node {
	switch x := n.(type) {
	case *obj:
		out := &obj{}
		for _, m := range x.members {
			out.members = append(out.members, &field{m.key, m.name, clone(m.value)})
		}
		return out
	case *arr:
		out := &arr{}
		for _, e := range x.elements {
			out.elements = append(out.elements, clone(e))
		}
		return out
	case inside:
		return inside{x.form, clone(x.of)}
	}
	return n
}
