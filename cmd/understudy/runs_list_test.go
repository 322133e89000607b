package main

import (
	"encoding/json"
	"strings"
	"testing"

	"understudy.dev/comparator/report"
)

// TestRunsThatNobodyHasJudged are listed from Kafka, also while ClickHouse is away;
// without both there is nothing to list.
func TestRunsThatNobodyHasJudged(t *testing.T) {
	_, broker, _ := recordingPlatform(t)
	code, out, errOut := run1(t, "runs", "list", "-o", "json", "--kafka", broker, "--clickhouse", "127.0.0.1:1")
	var runs []report.Run
	if err := json.Unmarshal([]byte(out), &runs); err != nil || code != exitOK || len(runs) != 1 || runs[0].Name != "killed" || runs[0].State != "abandoned" {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
	for _, want := range []string{"these are the runs that Kafka knows", "nothing heard of run killed since 2026-11-26T11:00:00Z"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("%q is not in %s", want, errOut)
		}
	}
	if code, _, errOut := run1(t, "runs", "list", "--kafka", "127.0.0.1:1", "--clickhouse", "127.0.0.1:1"); code != exitDependency || !strings.Contains(errOut, "127.0.0.1:1") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
