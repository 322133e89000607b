package diff

// mapFrom is the number of members from which names are looked up in a map
// when they are not in the same order.
const mapFrom = 24

func (w *walker) object(i, j int32) {
	a, b := &w.a.nodes[i], &w.b.nodes[j]
	base := len(w.used)
	for range b.count {
		w.used = append(w.used, false)
	}
	defer func() { w.used = w.used[:base] }()
	var index map[string][]member
	// hint is where the next member stands if both sides have the same order.
	hint, hintNo := j+1, int32(0)
	child := i + 1
	for range a.count {
		m := &w.a.nodes[child]
		var at, no int32
		if hintNo < b.count && !w.used[base+int(hintNo)] && w.sameKey(m, &w.b.nodes[hint]) {
			at, no = hint, hintNo
		} else if b.count < mapFrom {
			at, no = w.search(m, j, base)
		} else {
			if index == nil {
				index = w.index(j)
			}
			at, no = take(index, string(w.name(m, &w.a)), w.used[base:])
		}
		w.push(m, &w.a)
		if at < 0 {
			w.report(Missing, m, nil)
		} else {
			w.used[base+int(no)] = true
			hint, hintNo = w.b.nodes[at].skip, no+1
			w.value(child, at)
		}
		w.pop()
		if w.stopped {
			return
		}
		child = m.skip
	}
	child = j + 1
	for no := range b.count {
		m := &w.b.nodes[child]
		if !w.used[base+int(no)] {
			w.push(m, &w.b)
			w.report(Extra, nil, m)
			w.pop()
		}
		child = m.skip
	}
}

// member is an entry of an index of an object: node and position.
type member struct{ at, no int32 }

func (w *walker) index(j int32) map[string][]member {
	index := make(map[string][]member, w.b.nodes[j].count)
	child := j + 1
	for no := range w.b.nodes[j].count {
		m := &w.b.nodes[child]
		name := string(w.name(m, &w.b))
		index[name] = append(index[name], member{child, no})
		child = m.skip
	}
	return index
}

func take(index map[string][]member, name string, used []bool) (at, no int32) {
	list := index[name]
	for len(list) > 0 && used[list[0].no] {
		list = list[1:]
	}
	index[name] = list
	if len(list) == 0 {
		return -1, 0
	}
	return list[0].at, list[0].no
}

// search looks for the first unused member of the name.
func (w *walker) search(m *node, j int32, base int) (at, no int32) {
	name, plain := w.a.key(m), !m.keyEscaped
	used := w.used[base:]
	child := j + 1
	for no := range w.b.nodes[j].count {
		n := &w.b.nodes[child]
		possible := !plain || n.keyEscaped || int(n.keyEnd-n.keyStart) == len(name)
		if possible && !used[no] && w.sameKey(m, n) {
			return child, no
		}
		child = n.skip
	}
	return -1, 0
}

func (w *walker) sameKey(m, n *node) bool {
	return textsEqual(w.a.key(m), w.b.key(n), m.keyEscaped || n.keyEscaped)
}

func (w *walker) name(n *node, t *tape) []byte {
	if n.keyEscaped {
		return unescape(nil, t.key(n))
	}
	return t.key(n)
}
