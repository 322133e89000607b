package substitute

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// calls are words of targets at which procedures are called, and actions are
// those at which something is made that is called otherwise: what the id in
// their answers names, they do not say.
var (
	calls = wordSet("rpc jsonrpc json-rpc graphql gql api query mutation batch rest soap ajax service endpoint invoke call execute gateway")

	actions = wordSet("checkout register registration login signin signup logon join clone copy duplicate create new add insert save submit import upload " +
		"start open place buy purchase book reserve subscribe invite send enqueue run exec convert merge split transfer refund pay process")
)

// isCall says whether procedures are called at a target.
func isCall(target string) bool {
	path, _, _ := strings.Cut(target, "?")
	return calls[strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])]
}

// wrote says whether a method writes.
func wrote(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// creations make one of the collection that they stand behind.
var creations = wordSet("create new add insert save submit place open")

// ofThing says whether a target names a thing, so that an answer is about that.
func ofThing(target string) bool {
	path := names.Segments(target, nil)
	return len(path) > 0 && path[len(path)-1].Name
}

// vagueKinds are called so where anything may be named, or something out of the
// collection that is asked for.
var vagueKinds = wordSet("since after before max min starting_after ending_before start end resource entity object target source parent item record " +
	"from to into onto about on delete remove selected copy copy_from clone")

// vagueNames are called so where an identifier is what something is done with, or
// is kept under.
var vagueNames = wordSet("id cancel approve reject accept view show edit detail update upsert modify get fetch find read load create index select checked chosen " +
	"where filter query criteria selector condition match by of for with operation action command change confirm close complete finish archive restore publish " +
	"unpublish ship deliver activate deactivate enable disable lock unlock assign move print download export status quantity qty amount count total price entry " +
	"map lookup owner subject id_list arg argument param")

func wordSet(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

// loose says whether a target tells little about what is made there: it ends in
// an action upon a thing, or is called like one.
func loose(target string, known func(names.Place, string) bool) bool {
	named, ofMany := false, false
	last := ""
	for _, s := range names.Segments(target, known) {
		named = named || s.Name
		ofMany = last != "" && names.Family("/"+last, nil) != strings.ToLower(last)
		last = ""
		if !s.Name {
			last = s.Text
		}
	}
	if last == "" || names.IsVersion(last) {
		return false
	}
	lower := strings.ToLower(last)
	if ofMany && creations[lower] {
		return false
	}
	if calls[lower] || actions[lower] {
		return true
	}
	if names.IsPlural(last) && !creations[firstWord(lower)] {
		return false // purchase_orders are things
	}
	for i := 1; i < len(last); i++ { // createOrder, create_order, order.create
		if c := last[i]; c >= 'A' && c <= 'Z' || strings.IndexByte("_-.:", c) >= 0 {
			return actions[strings.ToLower(last[:i])] || strings.Contains(lower, ".")
		}
	}
	return named && names.Family("/"+last, nil) == lower
}

// tells says whether a target says what an id in its request is that of: it is
// about a collection, or what is called so was seen before.
func (s *session) tells(target string) bool {
	last := ""
	for _, segment := range names.Segments(target, s.knows) {
		if segment.Name {
			continue
		}
		if names.IsPlural(segment.Text) {
			return true
		}
		last = segment.Text
	}
	return s.kinds[names.Family("/"+last, nil)]
}

// collection is the kind of things that a target without a name is about; empty if
// it does not tell.
func collection(target string) string {
	kind := ""
	for _, segment := range names.Segments(target, nil) {
		if segment.Name {
			kind = ""
		} else if names.IsPlural(segment.Text) {
			kind = names.Family("/"+segment.Text, nil)
		}
	}
	return kind
}

// asCalled are what an answer calls by the family of its target, under the last
// word of that too: the id in the answer to /orders/5/refund is that of the order,
// or of the refund.
func asCalled(target, family string, found []names.Name) (out []names.Name) {
	path := names.Segments(target, nil)
	if len(path) == 0 || path[len(path)-1].Name {
		return nil
	}
	kind := names.Family("/"+path[len(path)-1].Text, nil)
	if kind == family || kind == "" {
		return nil
	}
	for _, n := range found {
		if n.Place.Kind == family && n.Place.Named {
			n.Place.Kind = kind
			out = append(out, n)
		}
	}
	return out
}

// ofClient are words of targets that are answered with who the client is.
var ofClient = wordSet("login signin logon session sessions token auth authenticate me whoami self viewer profile")

// asClient are the pairs of a person under all words for one, if the answer tells
// who the client is: user 7 is customer 7 then, because that is what the client
// goes by.
func asClient(target string, pairs []names.Pair) (out []names.Pair) {
	path, _, _ := strings.Cut(target, "?")
	if !ofClient[strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])] {
		return nil
	}
	for _, p := range pairs {
		if !names.ArePersons(p.Kind, p.Kind) || !names.IsDigits(p.Baseline.Text) {
			continue
		}
		for kind := range names.Persons() {
			if q := p; kind != p.Kind {
				q.Kind, q.Proof = kind, names.Aligned
				out = append(out, q)
			}
		}
	}
	return out
}

// firstWord is what stands before the first character that joins words.
func firstWord(s string) string {
	if i := strings.IndexAny(s, "_-.:"); i > 0 {
		return s[:i]
	}
	return s
}

// plainUUID is a UUID in the spelling of RFC 9562, whatever it is spelled like;
// any other text as it is.
func plainUUID(s string) string {
	plain := strings.ToLower(strings.Trim(s, "{}"))
	plain = strings.TrimPrefix(plain, "urn:uuid:")
	if len(plain) == 32 {
		plain = plain[:8] + "-" + plain[8:12] + "-" + plain[12:16] + "-" + plain[16:20] + "-" + plain[20:]
	}
	if names.IsUUID(plain) {
		return plain
	}
	return s
}

// ofApplication are members of a request that name an application: a client of
// OAuth is no customer (RFC 6749, section 2.2).
var ofApplication = map[string]names.Place{}

// ofGrant are members of requests of OAuth beside client_id, by which they are known.
var ofGrant = regexp.MustCompile(`(?:^|[?&"\s])(?:grant_type|response_type|redirect_uri|client_secret|client_assertion|code_challenge|token_type_hint)["=]`)

func init() {
	for _, name := range strings.Fields("client_id clientId X-Client-Id X-Client-ID x-client-id Client-Id") {
		ofApplication[name] = names.Place{Kind: "oauth_client", Named: true}
	}
}

// meanings are those of members that mean something else in a request than they
// usually do; nil if all mean what they do.
func meanings(q *understudyv1.Request, body []byte) map[string]names.Place {
	if bytes.Contains(q.GetTarget(), []byte("client")) && ofGrant.Match(q.GetTarget()) || len(body) <= maxExpression && bytes.Contains(body, []byte("client")) && ofGrant.Match(body) ||
		message.First(q.GetHeaders(), "X-Client-Id") != "" {
		return ofApplication
	}
	return nil
}
