package candidate

import (
	"encoding/json"
	"strconv"
	"time"

	"understudy.dev/demo/shop"
)

// altered gives body as a JSON object with a change made to it. Numbers keep
// their text.
func altered(body any, change func(map[string]any)) any {
	text, err := json.Marshal(body)
	if err != nil {
		return body // an answer that cannot be written fails where it is written
	}
	members := map[string]json.RawMessage{}
	if json.Unmarshal(text, &members) != nil {
		return body
	}
	object := make(map[string]any, len(members))
	for name, value := range members {
		object[name] = value
	}
	change(object)
	return object
}

func aCentMore(order map[string]any) {
	total, err := shop.ParseCents(string(order["total"].(json.RawMessage)))
	if err == nil {
		order["total"] = decimal(total + 1)
	}
}

func withoutMethod(order map[string]any) {
	order["shipping"] = altered(order["shipping"], func(shipping map[string]any) { delete(shipping, "method") })
}

func quantityAsText(order map[string]any) {
	var items []json.RawMessage
	if json.Unmarshal(order["items"].(json.RawMessage), &items) != nil {
		return
	}
	changed := make([]any, 0, len(items))
	for _, item := range items {
		changed = append(changed, altered(item, func(line map[string]any) {
			line["quantity"] = string(line["quantity"].(json.RawMessage))
		}))
	}
	order["items"] = changed
}

func withRevision(order map[string]any) { order["internal_revision"] = 7 }

// throughDouble does to a number what a float64 does to it.
func throughDouble(payment map[string]any) {
	n, err := strconv.ParseInt(string(payment["account_number"].(json.RawMessage)), 10, 64)
	if err == nil {
		payment["account_number"] = int64(float64(n))
	}
}

// toTheSecond writes the time of a payment as the baseline does not.
func toTheSecond(payment map[string]any) {
	var at time.Time
	if json.Unmarshal(payment["captured_at"].(json.RawMessage), &at) == nil {
		payment["captured_at"] = at.Format("2006-01-02T15:04:05Z")
	}
}

// declined is the contradiction of a captured payment.
func declined(payment map[string]any) { payment["status"] = "declined" }
