package stage

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// FullWeight is the weight that is everybody: weights are in hundredths of a
// percent.
const FullWeight = 10_000

// Stage is a stage, with the share of the sessions if it is a canary.
type Stage struct {
	Name understudyv1.Stage_Name
	// Weight is in hundredths of a percent, 0 to FullWeight; 0 but in a canary.
	Weight uint32
}

// Names are the stages in their order.
func Names() []string { return names }

var names = func() (out []string) {
	for n := understudyv1.Stage_NAME_OFF; n <= understudyv1.Stage_NAME_COMPLETE; n++ {
		out = append(out, understudyv1.Label(n))
	}
	return out
}()

// Parse reads "off", "shadow", "canary:10%", "live" or "complete". A weight has
// at most two decimals.
func Parse(text string) (Stage, error) {
	name, share, weighted := strings.Cut(text, ":")
	for n := understudyv1.Stage_NAME_OFF; n <= understudyv1.Stage_NAME_COMPLETE; n++ {
		if understudyv1.Label(n) != name {
			continue
		}
		switch canary := n == understudyv1.Stage_NAME_CANARY; {
		case canary && !weighted:
			return Stage{}, fmt.Errorf("stage %q: a canary needs its share, such as canary:1%%", text)
		case !canary && weighted:
			return Stage{}, fmt.Errorf("stage %q: only a canary has a share", text)
		case !canary:
			return Stage{Name: n}, nil
		}
		weight, err := parseWeight(share)
		if err != nil {
			return Stage{}, fmt.Errorf("stage %q: %w", text, err)
		}
		return Stage{n, weight}, nil
	}
	return Stage{}, fmt.Errorf("stage %q is not one of off, shadow, canary:SHARE%%, live, complete", text)
}

func parseWeight(text string) (uint32, error) {
	number, ok := strings.CutSuffix(text, "%")
	_, decimals, _ := strings.Cut(number, ".")
	v, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || len(decimals) > 2 || !(v >= 0 && v <= 100) || strings.ContainsAny(number, "eExX_+-") {
		return 0, fmt.Errorf("share %q is not a percentage from 0%% to 100%% with at most two decimals", text)
	}
	return uint32(math.Round(v * 100)), nil
}

// String is what Parse reads, "unknown" of no stage.
func (s Stage) String() string {
	name := understudyv1.Label(s.Name)
	if name == "" {
		return "unknown"
	}
	if s.Name != understudyv1.Stage_NAME_CANARY {
		return name
	}
	return name + ":" + strconv.FormatFloat(float64(s.Weight)/100, 'f', -1, 64) + "%"
}

// Beyond reports whether more sessions are with the candidate than at another
// stage, or the stage is a later one.
func (s Stage) Beyond(o Stage) bool {
	return s.Name > o.Name || s.Name == o.Name && s.Weight > o.Weight
}

// Has reports whether a bucket is with the candidate.
func (s Stage) Has(bucket uint32) bool {
	switch s.Name {
	case understudyv1.Stage_NAME_CANARY:
		return bucket < s.Weight
	case understudyv1.Stage_NAME_LIVE, understudyv1.Stage_NAME_COMPLETE:
		return true
	}
	return false
}

// Side is the side that serves a session. A session that is not known is no
// session to be sticky by: it is with the baseline until everybody moves.
func (s Stage) Side(migration, session string) understudyv1.Side {
	bucket := uint32(FullWeight)
	if session != "" && s.Name == understudyv1.Stage_NAME_CANARY {
		bucket = Bucket(migration, session)
	}
	if s.Has(bucket) {
		return understudyv1.Side_SIDE_CANDIDATE
	}
	return understudyv1.Side_SIDE_BASELINE
}

// Of is the stage of a step.
func Of(s *understudyv1.Stage) Stage { return Stage{s.GetName(), s.GetWeight()} }
