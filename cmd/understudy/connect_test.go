package main

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// broker is a Kafka without topics.
func broker(t *testing.T) string {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs()[0]
}

// TestTopics: what needs them says how to make them, and making them twice
// changes nothing.
func TestTopics(t *testing.T) {
	t.Setenv("UNDERSTUDY_KAFKA", broker(t))
	for _, args := range [][]string{
		{"record", "--require-kafka", "--listen", "127.0.0.1:0", "--baseline", "http://127.0.0.1:1"},
		{"replay", "--run", "r", "--candidate", "http://127.0.0.1:1"},
		{"compare"},
		{"import", "--format", "combined", "-"},
	} {
		code, _, errOut := run1(t, args...)
		if code != exitDependency || !strings.Contains(errOut, "understudy topics apply") {
			t.Errorf("%q: exit %d: %s", args, code, errOut)
		}
	}
	code, out, errOut := run1(t, "topics", "apply", "--partitions", "3")
	if code != exitOK || strings.Count(out, "created") < 4 {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	code, out, errOut = run1(t, "topics", "apply", "--partitions", "3")
	if code != exitOK || strings.Contains(out, "created") {
		t.Errorf("again: exit %d: %s%s", code, out, errOut)
	}
}

// TestImportIntoKafka: good entries are written, bad ones named and counted,
// and the exit code says so.
func TestImportIntoKafka(t *testing.T) {
	t.Setenv("UNDERSTUDY_KAFKA", broker(t))
	if code, _, errOut := run1(t, "topics", "apply"); code != exitOK {
		t.Fatal(errOut)
	}
	const good = `192.0.2.1 - - [24/Nov/2026:10:00:00 +0000] "GET /x HTTP/1.1" 200 2 "-" "-"` + "\n"
	code, out, errOut := run1(t, "import", "--format", "combined", writeFile(t, good+good))
	if code != exitOK || !strings.Contains(out, "2") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	code, _, errOut = run1(t, "import", "--format", "combined", writeFile(t, good+"nonsense\n"))
	if code != exitFailed || !strings.Contains(errOut, "1 entries were not understood") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
