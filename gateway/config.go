package gateway

import (
	"path/filepath"

	"understudy.dev/exchange/message"
	"understudy.dev/gateway/face"
	"understudy.dev/gateway/proxy"
	"understudy.dev/gateway/stage"
	"understudy.dev/setting"
)

// Config describes what a gateway adds to a recorder.
type Config struct {
	// Migration is the name of the migration whose stages hold, and of its flag.
	Migration string `yaml:"migration"`
	// Candidate is the other upstream; the baseline is record.upstream.
	Candidate proxy.Config `yaml:"candidate"`
	// StateDir is the folder for the last known stages, the last good flags and
	// the kill switch, which outlive a restart.
	StateDir string `yaml:"state_dir"`
	// FlagFile is a file in flagd's JSON format whose flag of the migration's name
	// says "baseline" or "candidate"; empty asks the steps of the migration, in
	// Kafka. A rollback there wins over the file.
	FlagFile string `yaml:"flag_file"`
	// Headers are names of request headers that are attributes of the evaluation,
	// in lower case, beside route and method.
	Headers []string `yaml:"headers"`
	// Rules keep sessions on a side while the migration is under way; one for the
	// baseline wins over one for the candidate, and a rollback over both.
	Rules []Rule `yaml:"rules"`
	// Face answers clients of the synchronous protocol for an asynchronous
	// candidate.
	Face face.Config `yaml:"face"`
}

// DefaultConfig holds the documented defaults; migration, candidate and folder
// are left to the caller.
func DefaultConfig() Config {
	return Config{Candidate: proxy.DefaultConfig(), Face: face.DefaultConfig()}
}

// Rule keeps the requests that it matches on a side. It names one of a header, a
// cookie or sessions.
type Rule struct {
	// Side is baseline or candidate.
	Side string `yaml:"side"`
	// Header is the name of a request header.
	Header string `yaml:"header"`
	// Cookie is the name of a cookie.
	Cookie string `yaml:"cookie"`
	// Values are those of the header or cookie that match; with none, any does.
	Values []string `yaml:"values"`
	// Sessions are tokens as exchanges carry them.
	Sessions []string `yaml:"sessions"`
}

// Validate reports every mistake in the section, its candidate aside.
func (cfg Config) Validate() error {
	var ps setting.Problems
	ps.Under("migration", stage.CheckMigration(cfg.Migration))
	ps.Require(cfg.StateDir != "", "state_dir", nil, "a folder is needed: without it a restart forgets stages and kill switch")
	for i, name := range cfg.Headers {
		ps.Require(message.IsToken(name), setting.Index("headers", i), name, "is not the name of a header")
	}
	for i, r := range cfg.Rules {
		at := setting.Index("rules", i)
		ps.OneOf(at+".side", r.Side, baseline, candidate)
		kinds := 0
		for _, there := range []bool{r.Header != "", r.Cookie != "", len(r.Sessions) > 0} {
			if there {
				kinds++
			}
		}
		ps.Require(kinds == 1, at, nil, "a rule names one of header, cookie, sessions")
		ps.Require(len(r.Values) == 0 || len(r.Sessions) == 0, at+".values", nil, "values are those of a header or a cookie")
		ps.Require(r.Header == "" || message.IsToken(r.Header), at+".header", r.Header, "is not the name of a header")
	}
	if len(cfg.Face.Routes) > 0 {
		ps.Under("face", cfg.Face.Validate())
	}
	return ps.Err()
}

// Dir is the folder of what the gateways of the migration keep.
func (cfg Config) Dir() string { return cfg.file("") }

// KillFile is the file that is there while the kill switch is on.
func (cfg Config) KillFile() string { return cfg.file("killed") }

func (cfg Config) file(name string) string {
	return filepath.Join(cfg.StateDir, cfg.Migration, name)
}
