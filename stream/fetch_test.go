package stream

import "testing"

// TestFetchesStaySmall: what decompresses to much is asked for in small pieces
// at once, and what does not in larger ones after a while.
func TestFetchesStaySmall(t *testing.T) {
	var s sizer
	f := func(what string, compressed, decompressed, times int, want int32) {
		t.Helper()
		for range times {
			s.note(compressed, decompressed)
		}
		if got := s.size(); got != want {
			t.Errorf("%s: a fetch asks for %d bytes, want %d", what, got, want)
		}
	}
	f("nothing known", 0, 0, 1, firstFetch)
	f("not compressed", 1000, 1000, 1, mostFetch)
	f("eight times", 1000, 8000, 1, fetchBytes/8)
	f("four hundred times", 1000, 400_000, 1, leastFetch)
	if s.note(1000, 2000); s.size() > 2*leastFetch {
		t.Errorf("after one batch that grew little a fetch asks for %d bytes", s.size())
	}
	f("not compressed, for long", 1000, 1000, 1000, mostFetch)
}
