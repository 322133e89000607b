package accuracy

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// order is one as both systems keep it.
type order struct {
	e, customer      *entity
	items            []item
	status, before   int
	amount           node
	created, updated *stamp
	at               time.Time
	due, iban        string
	notes            []*note
	patched          bool
}

type item struct {
	e, product *entity
	sku        string
	qty        int
	price      string
}

type note struct {
	e       *entity
	text    string
	created *stamp
}

var (
	statuses = []string{"", "open", "paid", "packed", "shipped", "closed"}
	cities   = []string{"Köln", "Zürich", "Malmö", "Łódź", "Porto"}
	ibans    = []string{"DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "NL91ABNA0417164300"}
)

// session is one client: it asks, reads the answers, and asks again by what it
// has read.
type session struct {
	w                           *world
	r                           *rand.Rand
	id                          string
	at                          time.Time
	gap                         func() time.Duration
	hurried                     bool
	customer, bearer, sid, csrf *entity
	orders                      []*order
	pairs                       []*pair
	since                       *stamp
	mail                        string
	signedIn, signsUp, renamed  bool
}

func newSession(w *world, number int, at time.Time) *session {
	r := rand.New(rand.NewPCG(w.seed, uint64(number)+100))
	s := &session{w: w, r: r, id: fmt.Sprintf("s%d-%d", w.seed, number), at: at, hurried: number%6 == 5}
	// A customer signs up, or was there before; a few of these have another name
	// in the candidate, which nothing in the recording can show.
	s.customer = &entity{kind: "customer"}
	s.signsUp = number%3 == 1
	if s.renamed = number%20 == 6; !s.signsUp && !s.renamed {
		s.customer.name = fmt.Sprint("c", 50_000+number)
	}
	s.since = &stamp{fixed: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(number) * 7919 * time.Second)}
	s.mail = fmt.Sprintf("%s.%s@example.com", animals[number%30], colours[number/30%30])
	for _, side := range []*side{w.baseline, w.secondary, w.candidate} {
		if !s.signsUp {
			side.name(s.customer, at)
		}
	}
	return s
}

// play is the session from its beginning to its end.
func (s *session) play() {
	if s.signsUp {
		a := answerOf(201, of("id", s.customer, "email", s.mail, "created_at", when{at: &stamp{}, layout: s.w.layout}))
		a.setField("Location", join("/customers/", s.customer))
		p := s.ask("POST", "/customers", text("/customers"), a)
		p.sent = of("email", s.mail, "password", "correct horse")
		s.finish(p, onOther, cast{})
	}
	s.login()
	s.create()
	for range 10 + s.r.IntN(8) {
		s.step()
	}
}

func (s *session) step() {
	o := s.orders[s.r.IntN(len(s.orders))]
	switch n := s.r.IntN(100); {
	case n < 26:
		s.get(o)
	case n < 42:
		s.list()
	case n < 56:
		s.pay(o)
	case n < 64:
		s.ship(o)
	case n < 67:
		s.dispatch(o)
	case n < 83:
		s.export(o)
	case n < 87:
		s.missing()
	case n < 91:
		s.patch(o)
	case n < 95:
		s.annotate(o)
	case n < 97:
		s.unmark(o)
	case n < 98:
		s.doomed()
	case n < 99:
		s.browse()
	default:
		s.create()
	}
}

// ask begins a pair; both answers are the same until a kind changes one.
func (s *session) ask(method, route string, target node, a *answer) *pair {
	s.at = s.at.Add(s.gap() + time.Duration(s.r.IntN(1_000_000)))
	p := &pair{
		session: s.id, method: method, route: method + " " + route, target: target, start: s.at,
		took: time.Duration(2+s.r.IntN(20)) * time.Millisecond, baseline: a, settled: make(chan struct{}),
	}
	p.fields = []header{{"Accept", text("*/*")}}
	if s.signedIn {
		p.fields = append(p.fields, header{"Authorization", join("Bearer ", s.bearer)}, header{"Cookie", join("sid=", s.sid, "; theme=dark")})
	}
	if s.signedIn && method != "GET" {
		p.fields = append(p.fields, header{"X-Csrf-Token", ref{s.csrf}})
	}
	a.setField("X-Request-Id", random{base62, 16})
	a.sized = true
	if n := len(s.pairs); n > 0 {
		p.before = s.pairs[n-1]
	}
	s.pairs = append(s.pairs, p)
	return p
}

// finish decides what is special about the pair.
func (s *session) finish(p *pair, on carrier, more cast) {
	p.candidate = p.baseline.clone()
	p.candidate.sized = s.r.IntN(3) > 0
	more.pair, more.s, more.w, more.r, more.on = p, s, s.w, s.r, on
	s.w.plant(&more)
	s.at = s.at.Add(p.took)
}

func answerOf(status int, body node) *answer {
	a := &answer{status: status, body: body, form: "json", media: "application/json"}
	if body == nil {
		a.media = ""
	}
	return a
}

func (s *session) login() {
	s.bearer, s.sid, s.csrf = &entity{kind: "token"}, &entity{kind: "token"}, &entity{kind: "token"}
	body := of("token", s.bearer, "csrf_token", s.csrf, "expires_at", when{plus: time.Hour, layout: s.w.layout},
		"user", of("id", s.customer, "email", s.mail, "since", when{at: s.since, layout: millis}))
	a := answerOf(200, body)
	a.setField("Set-Cookie", join("sid=", s.sid, "; Path=/; HttpOnly"))
	p := s.ask("POST", "/login", text("/login"), a)
	p.sent = of("email", s.mail, "password", "correct horse")
	s.signedIn = true
	s.finish(p, onOther, cast{})
}

func (s *session) create() {
	o := &order{e: &entity{kind: "order"}, customer: s.customer, status: 1, created: &stamp{}, iban: ibans[s.r.IntN(2)]}
	o.updated = o.created
	o.due = s.w.now.AddDate(0, 0, 3+s.r.IntN(90)).Format(time.DateOnly)
	o.amount = num(fmt.Sprintf("%d.%02d", 10+s.r.IntN(900), 10*s.r.IntN(10)))
	if len(s.orders) > 0 && s.r.IntN(3) == 0 {
		o.amount = recordedName{s.w.baseline, s.orders[0].e, "88.40"}
	}
	sent := &arr{}
	for range 1 + s.r.IntN(3) {
		i := item{e: &entity{kind: "item"}, product: s.w.products[s.r.IntN(len(s.w.products))], qty: 1 + s.r.IntN(5),
			sku: fmt.Sprintf("SKU-%03d-%s", s.r.IntN(900), colours[s.r.IntN(len(colours))]), price: fmt.Sprintf("%d.%02d", 1+s.r.IntN(80), s.r.IntN(100))}
		o.items = append(o.items, i)
		sent.elements = append(sent.elements, of("product_id", i.product, "sku", i.sku, "qty", number(strconv.Itoa(i.qty)), "price", number(i.price)))
	}
	doc := o.doc(s)
	a := answerOf(201, doc)
	a.setField("Location", join("/orders/", o.e))
	a.setField("Etag", join(`"`, random{hexDigits, 12}, `"`))
	p := s.ask("POST", "/orders", text("/orders"), a)
	p.sent = of("customer_id", s.customer, "amount", o.amount, "due_on", o.due, "status_id", number("1"), "iban", o.iban, "items", sent)
	if s.r.IntN(2) == 0 && len(s.orders) > 0 {
		p.sent.(*obj).set("reorder_of", ref{s.orders[0].e})
	}
	o.at = s.at
	s.finish(p, onCreate, cast{order: o, path: "$"})
	s.orders = append(s.orders, o)
}

// doc is the order as the systems show it.
func (o *order) doc(s *session) *obj {
	layout := s.w.layout
	items, byItem, tags := &arr{}, &obj{}, &arr{}
	for _, i := range o.items {
		items.elements = append(items.elements, of("id", i.e, "product_id", i.product, "sku", i.sku, "qty", number(strconv.Itoa(i.qty)), "price", number(i.price)))
		byItem.members = append(byItem.members, &field{name: ref{i.e}, value: num(strconv.Itoa(i.qty))})
	}
	for i, n := range []int{3, 11, 5} {
		tags.elements = append(tags.elements, text(colours[(n+i*o.status+len(o.items))%len(colours)]))
	}
	return of(
		"id", o.e, "customer_id", o.customer, "status_id", number(strconv.Itoa(o.status)), "status", statuses[o.status],
		"amount", o.amount, "currency", "EUR", "vat", number("19"), "gift", false, "parent_id", nil,
		"city", cities[len(o.due)%2+len(o.items)], "iban", o.iban, "due_on", o.due,
		"created_at", when{at: o.created, layout: layout}, "updated_at", when{at: o.updated, layout: layout},
		"items", items, "by_item", byItem, "tags", tags,
		"billing", of("customer_id", o.customer, "since", when{at: s.since, layout: millis}, "email", s.mail),
		"links", of("self", join("/orders/", o.e), "customer", join("http://", authority{}, "/customers/", o.customer)),
		"summary", join("Order ", o.e, " of customer ", o.customer, " has ", strconv.Itoa(len(o.items)), " items."),
	)
}

func (s *session) get(o *order) {
	a := answerOf(200, o.doc(s))
	a.setField("Etag", join(`"`, random{hexDigits, 12}, `"`))
	a.setField("Vary", "Accept, Authorization")
	a.setField("Cache-Control", "private, max-age=60")
	p := s.ask("GET", "/orders/{id}", join("/orders/", o.e), a)
	s.finish(p, onSingle, cast{order: o, path: "$"})
}

func (s *session) list() {
	all := &arr{}
	for _, o := range s.orders {
		all.elements = append(all.elements, o.doc(s))
	}
	which := s.r.IntN(len(s.orders))
	a := answerOf(200, of("orders", all, "total", number(strconv.Itoa(len(s.orders))), "customer_id", s.customer))
	a.setField("Link", join("</orders?customer_id=", s.customer, "&page=2>; rel=\"next\", </orders?customer_id=", s.customer, "&page=9>; rel=\"last\""))
	p := s.ask("GET", "/orders", join("/orders?customer_id=", s.customer, "&limit=20"), a)
	s.finish(p, onList, cast{order: s.orders[which], which: which, path: "$.orders[]"})
}

func (s *session) patch(o *order) {
	o.before, o.status, o.patched = o.status, 1+o.status%5, true
	o.updated = &stamp{}
	a := answerOf(200, o.doc(s))
	p := s.ask("PATCH", "/orders/{id}", join("/orders/", o.e), a)
	p.sent = of("status_id", number(strconv.Itoa(o.status)), "item_id", o.items[0].e)
	s.finish(p, onOther, cast{})
}

// pay is an action that nothing later depends on. The amount may be equal to
// the name of the order.
func (s *session) pay(o *order) {
	payment := &entity{kind: "payment"}
	amount := node(recordedName{s.w.baseline, o.e, "45.00"})
	body := of("id", payment, "order_id", o.e, "amount", amount, "method_id", number("2"), "paid_at", when{layout: s.w.layout}, "state", "booked")
	a := answerOf(201, body)
	a.setField("Location", join("/payments/", payment))
	p := s.ask("POST", "/orders/{id}/payments", join("/orders/", o.e, "/payments"), a)
	p.sent = of("order_id", o.e, "amount", amount, "method_id", number("2"), "customer_id", o.customer)
	p.form = s.r.IntN(4) == 0
	s.finish(p, onAction, cast{order: o, path: "$", thing: payment})
}

func (s *session) ship(o *order) {
	parcel := &entity{kind: "parcel"}
	a := answerOf(200, of("order_id", o.e, "parcel_id", parcel, "carrier", "DHL", "weight", number("3.20"), "shipped_at", when{layout: s.w.layout}))
	p := s.ask("POST", "/orders/{id}/shipment", join("/orders/", o.e, "/shipment"), a)
	p.sent = of("item_id", o.items[0].e, "express", s.r.IntN(2) == 0)
	p.ending = polled
	s.finish(p, onShip, cast{order: o, path: "$"})
}

func (s *session) dispatch(o *order) {
	a := answerOf(200, of("order_id", o.e, "depot", "North", "doors", number("4")))
	p := s.ask("POST", "/orders/{id}/dispatch", join("/orders/", o.e, "/dispatch"), a)
	p.sent = of("order_id", o.e)
	p.ending = calledBack
	s.finish(p, onDispatch, cast{order: o, path: "$"})
}

// export is an order in another format; a kind says in which.
func (s *session) export(o *order) {
	rows := &arr{}
	for i, x := range o.items {
		rows.elements = append(rows.elements, of("line", number(strconv.Itoa(i+1)), "item_id", x.e, "sku", x.sku, "qty", number(strconv.Itoa(x.qty)), "price", number(x.price),
			"order_id", o.e, "created_at", when{at: o.created, layout: millis}))
	}
	a := answerOf(200, rows)
	a.setField("Last-Modified", when{at: o.updated, layout: httpDate})
	p := s.ask("GET", "/orders/{id}/export", join("/orders/", o.e, "/export"), a)
	s.finish(p, onExport, cast{order: o, path: "$"})
}

// missing asks for what neither system has.
func (s *session) missing() {
	name := fmt.Sprint("gone-", s.r.IntN(1000))
	a := answerOf(404, of("error", "not_found", "message", "There is no order "+name+"."))
	p := s.ask("GET", "/orders/{id}", text("/orders/"+name), a)
	s.finish(p, onMissing, cast{path: "$"})
}

func (s *session) annotate(o *order) {
	n := &note{e: &entity{kind: "note"}, text: "call back on " + o.due, created: &stamp{}}
	a := answerOf(201, of("id", n.e, "order_id", o.e, "text", n.text, "created_at", when{at: n.created, layout: s.w.layout}))
	a.setField("Location", join("/notes/", n.e))
	p := s.ask("POST", "/orders/{id}/notes", join("/orders/", o.e, "/notes"), a)
	p.sent = of("text", n.text)
	s.finish(p, onOther, cast{})
	o.notes = append(o.notes, n)
}

func (s *session) unmark(o *order) {
	if len(o.notes) == 0 {
		s.annotate(o)
	}
	n := o.notes[len(o.notes)-1]
	o.notes = o.notes[:len(o.notes)-1]
	p := s.ask("DELETE", "/notes/{id}", join("/notes/", n.e), answerOf(204, nil))
	s.finish(p, onOther, cast{})
}

// doomed makes an order that the candidate refuses, and reads it.
func (s *session) doomed() {
	o := &order{e: &entity{kind: "order"}, customer: s.customer, status: 1, created: &stamp{}, iban: ibans[0], amount: num("66.60"), due: "2027-01-31"}
	o.updated = o.created
	a := answerOf(201, o.doc(s))
	a.setField("Location", join("/orders/", o.e))
	create := s.ask("POST", "/orders", text("/orders"), a)
	create.sent = of("customer_id", s.customer, "amount", o.amount, "due_on", o.due, "iban", o.iban)
	s.finish(create, onDoomed, cast{order: o, path: "$"})
	p := s.ask("GET", "/orders/{id}", join("/orders/", o.e), answerOf(200, o.doc(s)))
	p.needs = create
	s.finish(p, onOrphan, cast{})
}

// browse looks through what others made, and reads one of it.
func (s *session) browse() {
	all := &arr{}
	first := s.r.IntN(20)
	shown := s.w.strangers["note"][first : first+3]
	for i, e := range shown {
		all.elements = append(all.elements, of("id", e, "title", fmt.Sprintf("%s %s", adjectives[first+i], animals[first+i])))
	}
	p := s.ask("GET", "/notes", text(fmt.Sprint("/notes?offset=", first)), answerOf(200, of("notes", all, "total", number("30"))))
	s.finish(p, onOthers, cast{})
	which := s.r.IntN(3)
	p = s.ask("GET", "/notes/{id}", join("/notes/", shown[which]), answerOf(200, clone(all.elements[which])))
	s.finish(p, onOthers, cast{})
}
