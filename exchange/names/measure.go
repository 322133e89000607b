package names

import "strings"

// measures are words for what is counted, measured, dated, dialled or written in
// prose. Each is in the singular.
var measures = set("amount total subtotal sum price cost fee tax vat discount tip quantity qty count page limit offset size width height length weight depth " +
	"year month week day hour minute second date time timestamp duration timeout ttl age zip zipcode postcode postal phone mobile fax tel port rate ratio " +
	"percent percentage score rating rank level point balance budget salary income revenue turnover capacity stock distance lat lng latitude longitude " +
	"version revision cent byte pin otp cvv skip take per n sequence temperature voltage title description text note trace span")

// IsMeasure says whether a place of a kind, or called so, plainly has a number that
// names nothing: amount, page, unit_price.
func IsMeasure(kind string) bool {
	if measures[kind] {
		return true
	}
	for word := range strings.SplitSeq(kind, "_") {
		if measures[word] || measures[strings.TrimSuffix(word, "s")] {
			return true
		}
	}
	return false
}

// Measures says so of the name of a member or a field: unitPrice, X-Total.
func Measures(label string) bool { return IsMeasure(termOf(label).word) }
