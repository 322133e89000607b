package engine

import "testing"

// TestParseException takes texts as libchdb gives them.
func TestParseException(t *testing.T) {
	f := func(text string, want Exception) {
		t.Helper()
		if got := parseException(text); *got != want {
			t.Errorf("%q: got %+v, want %+v", text, *got, want)
		}
	}
	f("Code: 60. DB::Exception: Table a.b does not exist. (UNKNOWN_TABLE) (version 26.7.2.1)\n", Exception{60, "UNKNOWN_TABLE", "Table a.b does not exist"})
	f("Code: 395. DB::Exception: why (so). (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)", Exception{395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", "why (so)"})
	f("Code: 210. DB::NetException: refused.", Exception{210, "UNKNOWN_EXCEPTION", "refused"})
	f("std::bad_alloc", Exception{1002, "UNKNOWN_EXCEPTION", "std::bad_alloc"})
	f("Code: 99999999999. DB::Exception: x", Exception{1002, "UNKNOWN_EXCEPTION", "Code: 99999999999. DB::Exception: x"})
}
