package main

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestRedactTest: what it shows of a body and of an exchange, and that no value
// is among it.
func TestRedactTest(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	body := writeFile(t, `{"user":{"email":"ann@shop.example","password":"hunter22"},"order":"order 4711","trace":"x9Lk2Qp7ZtR4vB8nM1cW3yHd"}`)
	config := writeFile(t, `record:
  redact:
    rules:
      - {names: [password], action: keep}
      - {pattern: 'order (\d+)', action: mask}
`)
	code, out, errOut := run1(t, "redact", "test", body, "--config", config)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	lines := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{
		"response_body /user/email json email token 1", "response_body /order json rules[1] mask 1",
		"response_body /user/password rule names 1", "response_body trace random 1",
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for _, secret := range []string{"hunter22", "ann@", "4711", "x9Lk"} {
		if strings.Contains(out+errOut, secret) {
			t.Errorf("%s is shown", secret)
		}
	}
	_, out, _ = run1(t, "redact", "test", body, "--config", config, "--show")
	if !strings.Contains(out, `"password":"hunter22"`) || !strings.Contains(out, `@redacted.invalid"`) || !strings.Contains(out, `"order ***"`) {
		t.Errorf("became %s", out)
	}

	// An exchange as show prints it.
	text, err := protojson.Marshal(&understudyv1.Exchange{Id: "e", Request: &understudyv1.Request{Target: []byte("/x?token=hunter22")}})
	if err != nil {
		t.Fatal(err)
	}
	if code, out, errOut = run1(t, "redact", "test", writeFile(t, string(text))); code != exitOK || !strings.Contains(strings.Join(strings.Fields(out), " "), "request_target token query names token 1") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if code, _, errOut = run1(t, "redact", "test", "nowhere.json"); code != exitUsage || !strings.Contains(errOut, "id of an exchange") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}

func TestRedactRules(t *testing.T) {
	config := writeFile(t, "record:\n  redact:\n    keep: [sid]\n    rules:\n      - {places: [json], names: [a, b], shapes: [card], action: keep}\n")
	code, out, errOut := run1(t, "redact", "rules", "--config", config)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	own, first := strings.Index(out, "names a, b; shapes card"), strings.Index(out, "Proxy-Authorization")
	if own < 0 || first < own {
		t.Errorf("the own rule is not before those by default:\n%s", out)
	}
	for _, shape := range []string{"jwt", "bearer", "api_key", "private_key", "card", "iban", "email", "phone"} {
		if !strings.Contains(out, "\n"+shape+" ") {
			t.Errorf("%s is not listed", shape)
		}
	}
}

// TestAWrongRuleIsAnErrorWithItsPlace.
func TestAWrongRuleIsAnErrorWithItsPlace(t *testing.T) {
	config := writeFile(t, "record:\n  redact:\n    rules:\n      - action: keep\n      - {names: [a], action: hide}\n      - {pattern: '(', action: mask}\n")
	for _, args := range [][]string{
		{"config", "validate", config}, {"redact", "rules", "--config", config}, {"record", "--baseline", "http://127.0.0.1:1", "--config", config},
		{"replay", "--run", "x", "--candidate", "http://127.0.0.1:1", "--config", config},
	} {
		code, _, errOut := run1(t, args...)
		if code != exitUsage || !strings.Contains(errOut, ":5:30: record.redact.rules[1].action") || !strings.Contains(errOut, ":6:19: record.redact.rules[2].pattern") {
			t.Errorf("%v: exit %d: %s", args, code, errOut)
		}
	}
}
