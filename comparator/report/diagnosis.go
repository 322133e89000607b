package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// The diagnoses, by name.
const (
	NotJudged    = "not_judged"   // compare has not read the run
	NotSelected  = "not_selected" // the run had nothing to replay
	Unbalanced   = "unbalanced"   // the books do not balance
	Unreachable  = "unreachable"  // requests that nobody answered
	NotApplied   = "not_applied"  // rules or places that fail on requests or answers
	Unauthorized = "unauthorized" // 401 and 403 where the baseline accepted
	Pending      = "pending"      // taken for the answer, and looks as if it were none yet
	Unordered    = "unordered"    // refused while something earlier of the session was unfinished
	NotCompared  = "not_compared" // skipped or incomplete
	NotSafe      = "not_safe"     // not sent, because the run does not say that it may
)

// Diagnosis is something that spoils a run as a whole, and what mends it. It
// says what the tables prove; what only may be begins with "if".
type Diagnosis struct {
	Name string `json:"name"`
	// Replays of Of are concerned; both 0 where it is not about replays.
	Replays uint64 `json:"replays"`
	Of      uint64 `json:"of"`
	// What is the case, a sentence or two.
	What string `json:"what"`
	// Remedy says what to do, and Try is a command line or YAML for it.
	Remedy string `json:"remedy"`
	Try    string `json:"try,omitempty"`
}

// notable is from which part of the replays on, one in so many, it is the run
// that is ill and not a request.
const notable = 20

func considerable(n, of uint64) bool { return n > 0 && n >= of/notable }

// diagnose says what spoils the run, the worst first.
func (r *Report) diagnose(e evidence) {
	r.Diagnoses = []Diagnosis{}
	add := func(d Diagnosis, ok bool) {
		if ok {
			r.Diagnoses = append(r.Diagnoses, d)
		}
	}
	run, total := r.Run, r.Total
	switch {
	case run.Selected == 0 && total.Replays == 0:
		add(Diagnosis{Name: NotSelected, What: "The run has selected no exchange.", Remedy: "If nothing is recorded yet, understudy record or understudy import does it; otherwise --from, --to and --recorder choose nothing."}, run.Ended())
	case total.Replays == 0:
		add(Diagnosis{
			Name: NotJudged, Replays: run.Selected, Of: run.Selected, What: "Nothing of this run has been judged yet.",
			Remedy: "Judge it:", Try: "understudy compare --run " + Shell(run.Name),
		}, true)
		return
	}
	add(r.unbalanced())
	add(r.unreachable(e))
	add(r.notApplied(e))
	add(r.unauthorized(e))
	for _, p := range e.pending {
		add(r.pending(p))
	}
	add(r.unordered(e))
	if d, is := r.notCompared(); is {
		add(d, is)
	} else {
		add(r.notSafe())
	}
}

// again is a command line that replays once more, with a flag in addition on a
// line of its own. Which exchanges were taken, and how completions were awaited,
// the tables do not know; it says that this is to be given again.
func (r *Report) again(flag string) string {
	line := "# with whatever else the run was given: --config, --recorder, --from, --to, …\n" +
		fmt.Sprintf("understudy replay --run %s --candidate %s", Shell(r.Run.Name+"-2"), Shell(r.Run.Candidate))
	if r.Run.Speed > 0 && r.Run.Speed != 1 && !strings.Contains(flag, "--speed") {
		line += " --speed " + strconv.FormatFloat(r.Run.Speed, 'f', -1, 64)
	}
	if flag != "" {
		line += " \\\n  " + flag
	}
	return line
}

// maxFaults bounds the equations that a diagnosis names.
const maxFaults = 8

func (r *Report) unbalanced() (d Diagnosis, ok bool) {
	b := r.Balance
	if b.Trusted() || !r.Run.Ended() {
		return d, false
	}
	whose, faults := "The books do", b.faults()
	switch {
	case !b.Holds:
	case !b.Control.Holds:
		whose = "The books of the control sample do"
	default:
		whose = "The books of a recorder do"
	}
	if len(faults) > maxFaults {
		faults = append(faults[:maxFaults:maxFaults], fmt.Sprintf("%d more; understudy runs balance %s shows them", len(faults)-maxFaults, Shell(r.Run.Name)))
	}
	d = Diagnosis{Name: Unbalanced, What: whose + " not balance, so the run is no evidence: " + Clean(strings.Join(faults, "; ")) + "."}
	if missing := b.unjudged(); missing > 0 {
		d.Replays, d.Of = missing, b.Written
	}
	if d.Remedy, d.Try = b.Remedy(); d.Try == "" && strings.HasSuffix(d.Remedy, ":") {
		d.Try = r.again("")
	}
	return d, true
}

func (r *Report) unreachable(e evidence) (Diagnosis, bool) {
	n := Sum(e.errors) - e.errors[ruleRewrite] - e.errors[ruleUnreadable]
	return Diagnosis{
		Name: Unreachable, Replays: n, Of: r.Total.Judged,
		What: fmt.Sprintf("No answer came from %s to %s of %s requests (%s), for reasons of the transport: %s.",
			Clean(r.Run.Candidate), Count(n), Count(r.Total.Judged), Percent(n, r.Total.Judged), Reasons(e.errors)),
		Remedy: "Start the candidate, or correct its address, and replay again:", Try: r.again(""),
	}, n > 0 && 2*n >= r.Total.Judged
}

// notApplied says where the configuration of the replay is to blame: it could not
// be applied to a request or to its answer.
func (r *Report) notApplied(e evidence) (Diagnosis, bool) {
	n := e.errors[ruleRewrite] + e.errors[ruleUnreadable]
	return Diagnosis{
		Name: NotApplied, Replays: n, Of: r.Total.Judged,
		What: fmt.Sprintf("What the run was told to do with requests and answers could not be done with %s of %s (%s): rules of rewrite failed on %s requests, which were not sent, and places of the protocol on %s answers.",
			Count(n), Count(r.Total.Judged), Percent(n, r.Total.Judged), Count(e.errors[ruleRewrite]), Count(e.errors[ruleUnreadable])),
		Remedy: "Correct the rule or the place (in YAML: replay.rewrite, replay.completion, replay.routes); understudy show RUN ORDINAL says which and why:",
		Try:    "understudy sql " + Shell("SELECT ordinal, route, error FROM comparisons WHERE run = '"+r.Run.Name+"' AND error IN ('rewrite', 'unreadable') ORDER BY ordinal LIMIT 20"),
	}, considerable(n, r.Total.Judged)
}

// Kinds of errors that are no transport's.
var ruleRewrite, ruleUnreadable = understudyv1.Label(understudyv1.TransportError_KIND_REWRITE), understudyv1.Label(understudyv1.TransportError_KIND_UNREADABLE)

func (r *Report) unauthorized(e evidence) (Diagnosis, bool) {
	n, names := e.unauthorized.sum()
	what := fmt.Sprintf("The candidate answered 401 or 403 to %s of %s requests (%s) that the baseline accepted: %s.", Count(n), Count(r.Total.Judged), Percent(n, r.Total.Judged), names)
	remedy := "Give the candidate credentials that it accepts, as Authorization, Cookie or whatever it takes (in YAML: replay.headers):"
	if e.looked > 0 && e.redacted > 0 {
		of := "them"
		if e.looked < n {
			of = "the first " + Count(e.looked)
		}
		what += fmt.Sprintf(" The recording of %s of %s has redacted values, which a replay cannot send.", Count(e.redacted), of)
	}
	return Diagnosis{Name: Unauthorized, Replays: n, Of: r.Total.Judged, What: what, Remedy: remedy, Try: r.again(`--header "Authorization: Bearer TOKEN"`)},
		considerable(n, r.Total.Judged)
}

// pending tells of one route.
func (r *Report) pending(p pendingRoute) (Diagnosis, bool) {
	d := Diagnosis{Name: Pending, Replays: p.Replays, Of: p.Of}
	if p.Word == "" {
		d.What = fmt.Sprintf("%s: 202 Accepted was taken for the final answer of %s replays, because nothing in it was known to say where the end is; the baseline had answered otherwise.", Clean(p.Route), Count(p.Replays))
	} else {
		d.What = fmt.Sprintf("%s: an answer with %s %q, where the baseline has another, was taken for the final one of %s replays.", Clean(p.Route), Clean(p.Path), Clean(p.Word), Count(p.Replays))
	}
	d.Remedy = "If the operation goes on after it, say how its end is known (docs/replay.md), here by asking; channel: callback waits for a call:"
	pointer, words := "/status", "'pending', 'running'"
	if p.Word != "" {
		pointer, words = "/"+strings.TrimPrefix(p.Path, "$."), yamlText(p.Word)
	}
	accepted := ""
	if p.Status != 202 {
		accepted = fmt.Sprintf("      accepted: [%d]\n", p.Status)
	}
	d.Try = fmt.Sprintf("replay:\n  routes:\n    - route: %s\n      channel: poll\n%s      pending: {pointer: %s, values: [%s]}", yamlWord(p.Route), accepted, pointer, words)
	return d, considerable(p.Replays, p.Of)
}

func (r *Report) unordered(e evidence) (Diagnosis, bool) {
	n, names := e.unordered.sum()
	return Diagnosis{
		Name: Unordered, Replays: n, Of: r.Total.Judged,
		What: fmt.Sprintf("The candidate refused with 404, 409 or 412 what the baseline accepted in %s of %s replays (%s) that were sent before it had finished an earlier write of the same session, which the baseline had finished by then: %s.",
			Count(n), Count(r.Total.Judged), Percent(n, r.Total.Judged), names),
		Remedy: "Send a request only after the one before it in its session is finished:", Try: r.again("--order"),
	}, considerable(n, r.Total.Judged)
}

func (r *Report) notCompared() (Diagnosis, bool) {
	total := r.Total
	n := total.Skipped + total.Incomplete
	d := Diagnosis{Name: NotCompared, Replays: n, Of: total.Selected}
	if n == 0 || 2*n < total.Selected {
		return d, false
	}
	much := "Most of the run was not compared"
	if n == total.Selected {
		much = "Nothing was compared"
	}
	parts := []string{}
	if total.Skipped > 0 {
		parts = append(parts, fmt.Sprintf("%s skipped%s", Percent(total.Skipped, total.Selected), bracketed(Reasons(r.Run.Skipped))))
	}
	if total.Incomplete > 0 {
		parts = append(parts, fmt.Sprintf("%s incomplete%s", Percent(total.Incomplete, total.Selected), bracketed(Clean(brief(r.firstIncomplete())))))
	}
	d.What = fmt.Sprintf("%s: of %s selected %s.", much, Count(total.Selected), strings.Join(parts, ", "))
	d.Remedy, d.Try = r.comparable()
	return d, true
}

// notSafe says what was not sent because it may have effects, where that is not the
// bulk of the run.
func (r *Report) notSafe() (Diagnosis, bool) {
	n := r.Run.Skipped[unsafe]
	return Diagnosis{
		Name: NotSafe, Replays: n, Of: r.Total.Selected,
		What:   fmt.Sprintf("%s of %s selected requests (%s) were not sent, because their methods are not safe and the run does not say that the candidate is isolated.", Count(n), Count(r.Total.Selected), Percent(n, r.Total.Selected)),
		Remedy: remedyUnsafe, Try: r.again("--isolated"),
	}, r.Total.Replays > 0 && considerable(n, r.Total.Selected)
}

// unsafe is why a request with an unsafe method was skipped.
const (
	unsafe       = "method_not_safe"
	remedyUnsafe = "If the candidate has no effect outside the rehearsal, send unsafe methods too:"
)

// comparable says what makes more of a run comparable, by the commonest reason.
func (r *Report) comparable() (remedy, try string) {
	if r.Total.Incomplete > r.Total.Skipped {
		return "What the recording does not hold cannot be compared; traffic through understudy record has headers and bodies:", "understudy record --listen ADDRESS --baseline URL"
	}
	most, top := uint64(0), ""
	for name, n := range r.Run.Skipped {
		if n > most || n == most && name < top {
			most, top = n, name
		}
	}
	switch top {
	case unsafe:
		return remedyUnsafe, r.again("--isolated")
	case "in_flight_limit":
		return "Too many requests were unfinished at a time. Replay slower, or raise the limit:", r.again("--speed 1 --in-flight N")
	case "request_truncated":
		return "Record longer bodies (in YAML: record.capture_limit, at most 1 MiB), and replay the new recording:", "understudy record --listen ADDRESS --baseline URL --capture-limit 1048576"
	case "canceled":
		return "The run was ended before its end. Replay again:", r.again("")
	case "unresolved":
		return "The requests need names that the candidate has not given in their sessions; skipped_detail of a replay says which (docs/replay.md). Replay their sessions from the beginning:", r.again("")
	}
	return "docs/replay.md says what each reason means.", ""
}

func (r *Report) firstIncomplete() string {
	if len(r.Incomplete) == 0 {
		return ""
	}
	return r.Incomplete[0].Reason
}

func bracketed(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

var (
	shellSafe = regexp.MustCompile(`^[A-Za-z0-9._/:@%+=,-]+$`)
	yamlSafe  = regexp.MustCompile(`^[A-Za-z0-9._/-]+( [A-Za-z0-9._/-]+)*$`)
)

// Shell quotes a word for a command line to copy.
func Shell(s string) string {
	if s = Clean(s); shellSafe.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// yamlWord is a text of YAML that is no word with a meaning of its own.
func yamlWord(s string) string {
	if s = Clean(s); yamlSafe.MatchString(s) && strings.Contains(s, " ") {
		return s
	}
	return yamlText(s)
}

func yamlText(s string) string { return "'" + strings.ReplaceAll(Clean(s), "'", "''") + "'" }
