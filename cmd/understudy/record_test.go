package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// freeAddress is one where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// recording runs record before a baseline that answers "hi". stop ends it.
func recording(t *testing.T, args ...string) (traffic, admin string, stop func() (code int, errOut string)) {
	t.Helper()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hi") }))
	t.Cleanup(up.Close)
	traffic, admin = freeAddress(t), freeAddress(t)
	ctx, cancel := context.WithCancel(t.Context())
	var errOut bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"record", "--listen", traffic, "--admin", admin, "--baseline", up.URL}, args...), nil, io.Discard, &errOut)
	}()
	return traffic, admin, func() (int, string) {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		return <-code, errOut.String()
	}
}

// until gets a URL until the answer holds what is wanted.
func until(t *testing.T, url, want string) string {
	t.Helper()
	got := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		answer, err := http.Get(url)
		if err != nil {
			continue
		}
		b, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if got = string(b); answer.StatusCode == http.StatusOK && strings.Contains(got, want) {
			return got
		}
	}
	t.Fatalf("%s: want %q, got %q", url, want, got)
	return ""
}

// TestRecordStartsWithoutKafka: what stands before production must not take it
// down. Exchanges are recorded as soon as Kafka and its topics are there.
func TestRecordStartsWithoutKafka(t *testing.T) {
	kafka := freeAddress(t)
	t.Setenv("UNDERSTUDY_KAFKA", kafka)
	traffic, admin, stop := recording(t)
	until(t, "http://"+traffic+"/before", "hi")
	until(t, "http://"+admin+"/readyz", "but not recording: kafka at "+kafka)
	until(t, "http://"+admin+"/metrics", "\nunderstudy_recorder_kafka_ready 0\n")

	_, port, _ := net.SplitHostPort(kafka)
	n, _ := strconv.Atoi(port)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(n))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	until(t, "http://"+admin+"/readyz", "run understudy topics apply")
	if code, _, errOut := run1(t, "topics", "apply"); code != exitOK {
		t.Fatal(errOut)
	}
	until(t, "http://"+admin+"/metrics", "\nunderstudy_recorder_kafka_ready 1\n")
	if got := until(t, "http://"+admin+"/readyz", "ok"); got != "ok\n" {
		t.Errorf("ready: %q", got)
	}
	until(t, "http://"+traffic+"/after", "hi")
	code, errOut := stop()
	if code != exitOK || !strings.Contains(errOut, "not recording: traffic passes") || !strings.Contains(errOut, "Kafka is ready") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}

// TestARecorderBeforeItselfAnswersAtOnce: its baseline is its own address.
func TestARecorderBeforeItselfAnswersAtOnce(t *testing.T) {
	t.Setenv("UNDERSTUDY_KAFKA", freeAddress(t))
	config := writeFile(t, "record: {drain_timeout: 100ms, drain_delay: 0s}\n")
	traffic, admin, stop := recording(t, "--config", config)
	until(t, "http://"+traffic+"/", "hi")
	_, _ = stop()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"record", "--listen", traffic, "--admin", admin, "--baseline", "http://" + traffic, "--config", config}, nil, io.Discard, io.Discard)
	}()
	until(t, "http://"+admin+"/readyz", "ok")
	answer, err := http.Get("http://" + traffic + "/")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusLoopDetected {
		t.Errorf("status %d", answer.StatusCode)
	}
	until(t, "http://"+admin+"/metrics", "\nunderstudy_recorder_loops_total 1\n")
	until(t, "http://"+admin+"/metrics", "\nunderstudy_recorder_served_total 1\n")
	http.DefaultClient.CloseIdleConnections()
	cancel()
	<-ended
}

// TestRecordEndsWithoutKafka says once, and plainly, what is lost.
func TestRecordEndsWithoutKafka(t *testing.T) {
	t.Setenv("UNDERSTUDY_KAFKA", freeAddress(t))
	config := writeFile(t, "record: {drain_timeout: 100ms, drain_delay: 0s}\n")
	traffic, _, stop := recording(t, "--config", config, "--instance", "r1")
	until(t, "http://"+traffic+"/", "hi")
	code, errOut := stop()
	last := errOut[strings.LastIndex(strings.TrimSuffix(errOut, "\n"), "\n")+1:]
	if code != exitDependency || !strings.HasPrefix(last, "understudy: kafka at 127.0.0.1:") || !strings.Contains(last, "0 of 1 exchanges are recorded, the others are lost (shutdown 1)") ||
		!strings.Contains(last, "recorder r1") || strings.Contains(errOut, "deadline exceeded\n") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
