// Package plan says how a migration is to go: through which stages, after how long
// and how much traffic, asking which gate, by whom and at which hours. It is pure:
// it reads no clock, no topic and no table.
package plan

import (
	"fmt"
	"strings"
	"time"

	"understudy.dev/gateway/stage"
	"understudy.dev/setting"
)

// Who goes on to a stage.
const (
	Automatic = "automatic"
	ByHand    = "by_hand"
)

// Plan is a plan file.
type Plan struct {
	// Migration is the name of the migration that it is for.
	Migration string `yaml:"migration"`
	// Gate is the file of the gate's policy, from the folder of the plan on. There is
	// no plan without one.
	Gate string `yaml:"gate"`
	// Run is the run whose verdicts count; empty is the only one that has exchanges
	// of a stage.
	Run string `yaml:"run"`
	// Every is the time between two looks, 1s to 1h; default 10s.
	Every time.Duration `yaml:"every"`
	// Freeze says why nothing is promoted; empty is no freeze. A rollback needs no
	// leave.
	Freeze string `yaml:"freeze"`
	// Zone is the time zone of the windows, as "Europe/Berlin"; default UTC.
	Zone string `yaml:"zone"`
	// Windows are when something may be promoted; with none, always.
	Windows []Window `yaml:"windows"`
	// Again says who goes on, after a rollback, to the stage that it led away from
	// or to a further one: automatic or by_hand; default by_hand.
	Again string `yaml:"again"`
	// Steps are the stages, each beyond the one before.
	Steps []Step `yaml:"steps"`
}

// Window is a part of each week.
type Window struct {
	// Days are mon, tue, wed, thu, fri, sat, sun; with none, all.
	Days []string `yaml:"days"`
	// From and Until are times of the day, "09:00"; until is not within. "24:00" is
	// the end of the day.
	From  string `yaml:"from"`
	Until string `yaml:"until"`
}

// Step is one stage of a plan, and what is needed to leave it.
type Step struct {
	// Stage is off, shadow, canary:SHARE%, live or complete.
	Stage string `yaml:"stage"`
	// Enter is who goes on to it: automatic or by_hand; default automatic.
	Enter string `yaml:"enter"`
	// For is how long it lasts at least, 0 or more.
	For time.Duration `yaml:"for"`
	// Requests are how many must have been judged at it, of all routes that the gate
	// asks about.
	Requests uint64 `yaml:"requests"`
	// Gate replaces Plan.Gate at this stage.
	Gate string `yaml:"gate"`
}

// Default holds the documented defaults.
func Default() Plan { return Plan{Every: 10 * time.Second, Zone: "UTC", Again: ByHand} }

// maxSteps bounds a plan, beside its windows.
const maxSteps = 1000

// Validate reports every mistake in the plan.
func (p Plan) Validate() error {
	var ps setting.Problems
	ps.Under("migration", stage.CheckMigration(p.Migration))
	ps.Require(p.Gate != "", "gate", nil, "the file of a policy is needed: a plan without a gate moves users without evidence")
	ps.Require(p.Every >= time.Second && p.Every <= time.Hour, "every", p.Every, "is not within 1s and 1h")
	_, err := time.LoadLocation(p.Zone)
	ps.Require(err == nil && p.Zone != "Local", "zone", p.Zone, `is not a time zone, as "Europe/Berlin" is`)
	ps.OneOf("again", p.Again, Automatic, ByHand)
	ps.Require(len(p.Windows) <= maxSteps, "windows", len(p.Windows), fmt.Sprintf("are more than %d", maxSteps))
	for i, w := range p.Windows {
		w.validate(&ps, setting.Index("windows", i))
	}
	p.validateSteps(&ps)
	return ps.Err()
}

func (p Plan) validateSteps(ps *setting.Problems) {
	ps.Require(len(p.Steps) > 0, "steps", nil, "at least one stage is needed")
	ps.Require(len(p.Steps) <= maxSteps, "steps", len(p.Steps), fmt.Sprintf("are more than %d", maxSteps))
	var before *stage.Stage
	for i, s := range p.Steps {
		at := setting.Index("steps", i)
		ps.Require(s.For >= 0, at+".for", s.For, "is negative")
		if s.Enter != "" {
			ps.OneOf(at+".enter", s.Enter, Automatic, ByHand)
		}
		to, err := stage.Parse(s.Stage)
		if err != nil {
			ps.Require(false, at+".stage", nil, strings.TrimPrefix(err.Error(), "stage "))
			continue
		}
		ps.Require(before == nil || to.Beyond(*before), at+".stage", s.Stage, fmt.Sprintf("is not beyond %s, the stage before it", before))
		before = &to
	}
}

var days = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (w Window) validate(ps *setting.Problems, at string) {
	for i, d := range w.Days {
		ps.OneOf(setting.Index(at+".days", i), d, days...)
	}
	from, ok := minutes(w.From)
	ps.Require(ok && from < minutesOfDay, at+".from", w.From, `is not a time of the day, as "09:00" is`)
	until, fine := minutes(w.Until)
	ps.Require(fine, at+".until", w.Until, `is not a time of the day, as "17:30" or "24:00" is`)
	ps.Require(!ok || !fine || from < until, at+".until", w.Until, "is not after "+w.From+"; a window over midnight is two")
}

const minutesOfDay = 24 * 60

// minutes reads "17:30".
func minutes(text string) (int, bool) {
	if text == "24:00" {
		return minutesOfDay, true
	}
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
}

// has reports whether the window is open at a time of its zone.
func (w Window) has(t time.Time) bool {
	from, _ := minutes(w.From)
	until, _ := minutes(w.Until)
	now, today := t.Hour()*60+t.Minute(), len(w.Days) == 0
	for _, d := range w.Days {
		today = today || d == days[t.Weekday()]
	}
	return today && from <= now && now < until
}

// open reports whether something may be promoted at a moment.
func (p Plan) open(now time.Time) bool {
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		return false
	}
	for _, w := range p.Windows {
		if w.has(now.In(zone)) {
			return true
		}
	}
	return len(p.Windows) == 0
}
