package substitute

// Awaits are the ids of the exchanges whose answers on the candidate are not known
// yet and that this one needs names, versions or places of; those of its
// credentials, without which it would go on, are not among them.
func (x *Exchange) Awaits() (ids []string) {
	if x == nil {
		return nil
	}
	seen := map[*origin]bool{}
	add := func(o *origin) {
		if o == nil || seen[o] {
			return
		}
		seen[o] = true
		select {
		case <-o.done:
		default:
			ids = append(ids, o.exchange)
		}
	}
	for _, list := range [][]need{x.needs, x.behind} {
		for _, n := range list {
			for _, e := range n.made {
				add(e.by)
			}
		}
	}
	for _, v := range x.tags {
		add(v.by)
	}
	return ids
}
