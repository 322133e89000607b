package substitute

import (
	"cmp"
	"slices"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// shown are the entity tags that both sides had given a version of the resource
// before: those of which one stands in an answer, or in what the request asks by.
// The session is locked.
func (x *Exchange) shown(answers []*understudyv1.Response) (out []names.Pair) {
	s := x.session
	if len(s.tags) == 0 {
		return nil
	}
	recorded, candidate := map[string]bool{}, map[string]bool{}
	for _, field := range [...]string{"If-None-Match", "If-Match"} {
		for _, value := range message.Values(x.recorded.GetRequest().GetHeaders(), field) {
			for _, tag := range tagsOf("ETag", value) {
				recorded[opaque(tag)] = true
			}
		}
	}
	tag := func(a *understudyv1.Response) string { return opaque(message.First(a.GetHeaders(), "ETag")) }
	recorded[tag(x.recorded.GetResponse())] = true
	for _, a := range answers {
		candidate[tag(a)] = true
	}
	delete(recorded, "")
	delete(candidate, "")
	if len(recorded)+len(candidate) == 0 {
		return nil
	}
	var found []*version
	for at, versions := range s.tags {
		for _, v := range versions {
			if strings.HasPrefix(at, `"`) && v.resource == x.resource() && v.candidate != "" && v.by.sequence < x.origin.sequence && (recorded[at] || candidate[opaque(v.candidate)]) {
				found = append(found, v)
			}
		}
	}
	slices.SortFunc(found, func(a, b *version) int {
		return cmp.Or(cmp.Compare(a.recorded, b.recorded), cmp.Compare(a.candidate, b.candidate), cmp.Compare(a.by.sequence, b.by.sequence))
	})
	for i, v := range found {
		if i > 0 && v.recorded == found[i-1].recorded && v.candidate == found[i-1].candidate {
			continue
		}
		out = append(out, names.Pair{
			Kind: names.Version.Kind, From: v.by.exchange, Proof: names.Aligned,
			Baseline: names.Value{Text: v.recorded}, Candidate: names.Value{Text: v.candidate},
		})
	}
	return out
}
