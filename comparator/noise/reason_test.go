package noise

import (
	"strings"
	"testing"

	"understudy.dev/exchange/names"
)

// TestExplain: the class of Class, with the reason for it, and of what counts
// too.
func TestExplain(t *testing.T) {
	e := evidence("/orders", "sent-by-client-1").know(names.Created, "order ord_1001=5f0c1d6e-9a1b-4c2d-8e3f-000000000001", "order ord_1002=other-77aa")
	e.know(names.Aligned, "user usr_1001=u-99887766")
	f := func(member, baseline, candidate, class, reason, pair string) {
		t.Helper()
		b, c := Value{baseline, false}, Value{candidate, false}
		got, reasons := e.Explain([]string{member}, b, c)
		if got != class || got != e.Class([]string{member}, b, c) {
			t.Errorf("%s and %s: %q, want %q", baseline, candidate, got, class)
		}
		text, from := "", ""
		for _, r := range reasons {
			text += r.Text + "\n"
			if r.Pair != nil {
				from = r.Pair.Kind + " " + r.Pair.Baseline.Text
			}
		}
		if !strings.Contains(text, reason) || from != pair {
			t.Errorf("%s and %s: because %q by %q, want %q by %q", baseline, candidate, text, from, reason, pair)
		}
	}
	f("order_id", "ord_1001", "5f0c1d6e-9a1b-4c2d-8e3f-000000000001", Identifier, "the candidate's name for the same thing", "order ord_1001")
	f("order_id", "ord_1001", "5f0c1d6e-9a1b-4c2d-8e3f-000000000002", "", "calls the thing otherwise", "order ord_1001")
	f("order_id", "ord_4000", "other-77aa", "", "its name for something else", "order ord_1002")
	f("user_id", "usr_1001", "u-99887766", Presumed(Identifier), "otherwise alike", "user usr_1001")
	f("reference", "sent-by-client-1", "sent-by-client-2", "", "the client had sent", "")
	f("created", "2026-11-20T10:00:00Z", "2026-11-24T10:07:01Z", Timestamp, "both were made while their side worked on this request (within 2s)", "")
	f("created", "2026-11-20T10:00:01Z", "2026-11-24T10:07:30Z", "", "a difference of 29s from the requests and of 29s from the answers, of which 2s may be clocks", "")
	f("created", "2026-11-20T10:00:01Z", "2026-11-24 10:07:01", "", "written in two styles", "")
	f("created", "2026-11-20T09:59:30.120Z", "2026-11-24T10:06:30.1Z", Timestamp, "of the recording", "")
	f("day", "2026-11-20", "2026-11-23", "", "the baseline's is 0 from that of its request, the candidate's -1", "")
	f("status", "open", "closed", "", "nothing in the record explains it", "")
	f("checksum", "9b7e41c0d2f35a68", "1c0d2f35a689b7e4", "", "follows from what it covers", "")
	f("self", "http://orders.internal:8080/orders/ord_1001", "http://candidate:9090/orders/5f0c1d6e-9a1b-4c2d-8e3f-000000000001", Identifier, "each link leads to its own side", "order ord_1001")
	f("self", "http://orders.internal:8080/orders/open", "http://candidate:9090/orders/closed", "", "a part that nothing explains", "")
}
