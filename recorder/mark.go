package recorder

import (
	"net/http"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
)

// Marks says which requests are no user's but a replay's.
type Marks struct {
	// ReplayMark is the header field by which a replay's request is known, that of
	// replay.mark; default Understudy-Run. Such a request is served, counted as
	// dropped (replay) and not recorded.
	ReplayMark string `yaml:"replay_mark"`
	// RecordReplays records such requests all the same. A replay skips them.
	RecordReplays bool `yaml:"record_replays"`
	// Baseline is where the recorded system is, for the tallies.
	Baseline string `yaml:"-"`
}

func defaultMarks() Marks { return Marks{ReplayMark: message.RunMark} }

func (m Marks) problems() error {
	var ps setting.Problems
	ps.Require(message.IsToken(m.ReplayMark), "replay_mark", m.ReplayMark, "is not the name of a field")
	return ps.Err()
}

// mark is the canonical name of the field by which requests are known that are not
// recorded, and that name in lower case; empty if there is none.
func (cfg Config) mark() (canonical, lower string) {
	if cfg.RecordReplays || cfg.ServedBy != understudyv1.Side_SIDE_BASELINE {
		return "", ""
	}
	return http.CanonicalHeaderKey(cfg.ReplayMark), strings.ToLower(cfg.ReplayMark)
}
