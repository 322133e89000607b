package understudyv1_test

import (
	"testing"

	v1 "understudy.dev/schemas/understudy/v1"
)

func TestLoad(t *testing.T) {
	for want, r := range map[string]*v1.Run{
		"": {Spec: &v1.RunSpec{Speed: 5}},
		"a constant 200/s; for 5m0s at most; the recording again and again":                                                       {Spec: &v1.RunSpec{Rate: 200, ForNano: 300e9, LapsEndless: true}},
		"the recording 3 times; each user as 4 (seed 7)":                                                                          {Spec: &v1.RunSpec{Laps: 3, Multiply: 4, Seed: 7}},
		"as fast as the limits let; closed loop of 5 users: what was due waited for them, and its latency counts from then":       {Spec: &v1.RunSpec{Max: true, Mode: "closed", Users: 5}},
		"adaptive from 5 users, backed off 2 times, 3 at the end: what was due waited for them, and its latency counts from then": {Spec: &v1.RunSpec{Mode: "adaptive", Users: 5}, Users: 3, Backoffs: 2},
	} {
		if got := r.Load(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
