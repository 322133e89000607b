package demo

import (
	"encoding/json"
	"math/big"
	"strings"
	"time"

	"understudy.dev/demo/fault"
	"understudy.dev/demo/shop"
)

// seen tells by behaviour alone which fault a request met.
func seen(want, got *outcome, c *client, reference string) fault.Name {
	base, place := fault.Split(reference)
	switch {
	case got.Status == 0:
		return fault.Lost
	case want.Status < 300 && got.Status >= 300:
		return fault.Refused
	case want.Status >= 300 && got.Status < 300:
		return fault.Accepted
	case len(got.Bodies) > 1 && got.Bodies[0] == got.Bodies[1]:
		return fault.Duplicate
	case len(got.Bodies) > 1:
		return fault.Contradictory
	case got.Took > time.Second:
		return fault.Late
	case got.Took > fault.SlowOver*time.Millisecond && want.Route == "POST /quotes":
		return fault.SlowTail
	case place == "second" && c.outcomes[base+".first"].Ended.After(got.Ended):
		return fault.Reordered
	case cleared(want) && !cleared(got):
		return fault.KeptCookie
	case got.Header.Get("Repr-Digest") != want.Header.Get("Repr-Digest"):
		return fault.WrongDigest
	case got.Trailer.Get(shop.ExportTrailer) != want.Trailer.Get(shop.ExportTrailer):
		return fault.WrongTrailer
	case want.Route == "GET /products/export" && len(got.Content) < len(want.Content):
		return fault.ShortExport
	case linked(got.Bodies[0]) != linked(want.Bodies[0]):
		return fault.WrongLink
	case precise(want.Bodies[0]) && !precise(got.Bodies[0]):
		return fault.CoarseTime
	case got.Content == want.Content && isOrphan(want, reference):
		return fault.Orphan // its reply is right; the count is checked apart
	case got.Content == want.Content:
		return ""
	}
	return content(want.Bodies[0], got.Bodies[0])
}

func isOrphan(want *outcome, reference string) bool {
	return want.Status < 300 && fault.Decide("POST /orders/{id}/payments", reference) == fault.Orphan &&
		want.Route == "POST /orders/{id}/payments"
}

func cleared(o *outcome) bool {
	return strings.Contains(o.Header.Get("Set-Cookie"), "Max-Age=0")
}

// linked: an order links to itself.
func linked(text string) bool {
	var v struct {
		ID    string
		Links struct{ Self string }
	}
	return json.Unmarshal([]byte(text), &v) == nil && v.Links.Self == "/orders/"+v.ID
}

// precise: a payment's time has milliseconds.
func precise(text string) bool {
	var v struct {
		Captured string `json:"captured_at"`
	}
	return json.Unmarshal([]byte(text), &v) == nil && strings.Contains(v.Captured, ".")
}

func content(want, got string) fault.Name {
	has := func(text, part string) bool { return strings.Contains(text, part) }
	switch {
	case has(want, `"orders"`) && strings.Count(want, `"self"`) == strings.Count(got, `"self"`)+1:
		return fault.StaleList
	case has(got, `internal_revision`):
		return fault.ExtraField
	case has(want, `"method"`) && !has(got, `"method"`):
		return fault.MissingField
	case has(got, `"quantity":"`):
		return fault.WrongType
	case has(normal(want), "'role':'shopper'") && !has(normal(got), "'role':'shopper'"):
		return fault.WrongRole
	case account(want) == account(got)+1 || account(want) == account(got)-1:
		return fault.LargeInteger
	case account(want) != account(got):
		return fault.SwappedCustomer
	case total(got)-total(want) == 1:
		return fault.WrongTotal
	}
	return "unknown"
}

func account(text string) int64 {
	var v struct {
		Account int64 `json:"account_number"`
	}
	json.Unmarshal([]byte(text), &v)
	return v.Account
}

func total(text string) int64 {
	var v struct{ Total json.Number }
	json.Unmarshal([]byte(text), &v)
	r, ok := new(big.Rat).SetString(v.Total.String())
	if !ok {
		return -1
	}
	return new(big.Rat).Mul(r, big.NewRat(100, 1)).Num().Int64()
}
