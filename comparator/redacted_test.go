package comparator_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/comparator"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/token"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestRedactedBodies: tokens of one key are compared as the values are; those of
// two keys tell nothing, and nobody takes them for equal.
func TestRedactedBodies(t *testing.T) {
	redactor := func(secret string) *redact.Redactor {
		key, err := token.New([]byte(secret))
		if err != nil {
			t.Fatal(err)
		}
		return redact.New(redact.Config{}, key)
	}
	f := func(baseline, candidate, candidateKey, want string) {
		t.Helper()
		r := immediate(response(200, baseline, "Content-Length: 1"), response(200, candidate, "Content-Length: 1"))
		for _, a := range []*understudyv1.Response{r.Exchange.Response, r.Candidate.Ack} {
			a.Body.Length = 1 // as it was on the wire
		}
		redactor("0123456789abcdef").Exchange(r.Exchange)
		redactor(candidateKey).Replay(r)
		j, err := comparator.NewJudge(comparator.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		if got := j.Judge(r); string(got.Verdict) != want {
			t.Errorf("%s and %s: %s, want %s; %v", baseline, candidate, got.Verdict, want, lines(got))
		}
	}
	const one, other = "0123456789abcdef", "fedcba9876543210"
	f(`{"email":"ann@shop.example","id":7}`, `{"email":"ann@shop.example","id":7}`, one, "match")
	f(`{"email":"ann@shop.example","id":7}`, `{"email":"bob@shop.example","id":7}`, one, "mismatch")
	f(`{"owner":"ann@shop.example","x":[1]}`, `{"owner":"bob@shop.example","x":[1]}`, one, "mismatch")
	f(`{"to":"Write to ann@shop.example!"}`, `{"to":"Write to bob@shop.example!"}`, one, "mismatch")
	f(`{"card":"4111 1111 1111 1111"}`, `{"card":"5500 0000 0000 0004"}`, one, "mismatch")
	f(`{"card":"4111111111111111"}`, `{"card":"4012888888881881"}`, one, "mismatch")
	f(`{"iban":"DE89370400440532013000"}`, `{"iban":"GB82WEST12345698765432"}`, one, "mismatch")
	f(`{"phone":"+4915123456789"}`, `{"phone":"+4915123456780"}`, one, "mismatch")
	f(`{"otp":123456}`, `{"otp":123457}`, one, "mismatch")
	f(`{"email":"ann@shop.example","id":7}`, `{"email":"ann@shop.example","id":7}`, other, "incomplete")
	f(`{"email":"ann@shop.example","state":"open"}`, `{"email":"ann@shop.example","state":"paid"}`, other, "mismatch")
	f(`{"to":"Write to ann@shop.example!"}`, `{"to":"Write to ann@shop.example!"}`, other, "incomplete")
	f(`{"card":"4111111111111111"}`, `{"card":"4111111111111111"}`, other, "incomplete")
	f(`{"card":"4111111111111111"}`, `{"card":"none"}`, other, "mismatch")
	f(`{"card":"4111111111111111"}`, `{"card":"none"}`, one, "mismatch")
	// What a login gives is made anew by every system.
	f(`{"access_token":"b4Se1iN3b3aR3r70k3N1"}`, `{"access_token":"c4Nd1d4t3b3aR3r70k3N1"}`, one, "presumed")
	f(`{"access_token":"b4Se1iN3b3aR3r70k3N1"}`, `{"access_token":"b4Se1iN3b3aR3r70k3N1"}`, one, "match")
}

// TestNamesInRedactedValues: the record says which tokens are of values that differ
// in nothing but names.
func TestNamesInRedactedValues(t *testing.T) {
	key, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	redactor := redact.New(redact.Config{}, key)
	f := func(baseline, candidate string, proof understudyv1.Substitution_Proof, want ...string) {
		t.Helper()
		r := immediate(response(200, baseline), response(200, candidate))
		redactor.Exchange(r.Exchange)
		pair := func(b, c string) {
			r.Substitutions = append(r.Substitutions, &understudyv1.Substitution{
				Kind: names.Redacted.Kind, Recorded: redactor.Token(r.Exchange, b), Candidate: redactor.Token(r.Exchange, c), LearnedFrom: "e0", Proof: proof,
			})
		}
		pair("o+b1@x.it", "o+c1@x.it")
		pair("b1-of-all", "c1-of-all")
		redactor.Replay(r)
		j, err := comparator.NewJudge(comparator.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		got := j.Judge(r)
		var classes []string
		for _, d := range got.Differences {
			classes = append(classes, d.Noise)
		}
		if diff := cmp.Diff(want, append([]string{string(got.Verdict)}, classes...)); diff != "" {
			t.Errorf("%s and %s (-want +got)\n%s%v", baseline, candidate, diff, lines(got))
		}
	}
	const created, aligned = understudyv1.Substitution_PROOF_CREATED, understudyv1.Substitution_PROOF_ALIGNED
	for _, c := range [][2]string{
		{`{"to":"o+b1@x.it"}`, `{"to":"o+c1@x.it"}`}, {`{"text":"Write to o+b1@x.it, or call."}`, `{"text":"Write to o+c1@x.it, or call."}`}, {`{"secret":"b1-of-all"}`, `{"secret":"c1-of-all"}`},
	} {
		right, other := c[1], strings.NewReplacer("o+c1", "ann", "c1-of", "d1-of").Replace(c[1])
		f(c[0], c[0], created, "mismatch", "")
		f(c[0], other, created, "mismatch", "")
		f(c[0], c[0], aligned, "presumed", "presumed:identifier")
		f(c[0], right, aligned, "presumed", "presumed:identifier")
		f(c[0], other, aligned, "mismatch", "")
	}
	f(`{"secret":"b1-of-all"}`, `{"secret":"c1-of-all"}`, created, "match")
	f(`{"to":"o+b1@x.it"}`, `{"to":"o+c1@x.it"}`, created, "match")
	f(`{"text":"Write to o+b1@x.it, or call."}`, `{"text":"Write to o+c1@x.it, or call."}`, created, "match", "identifier")
}

// TestNamesInCookies: likewise, where the name of a cookie is the same.
func TestNamesInCookies(t *testing.T) {
	key, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	redactor := redact.New(redact.Config{}, key)
	f := func(candidate string, proof understudyv1.Substitution_Proof, want string) {
		t.Helper()
		r := immediate(response(200, `{"a":1}`, "Set-Cookie: last=b1-of-all; Path=/"), response(200, `{"a":1}`, "Set-Cookie: last="+candidate+"; Path=/"))
		redactor.Exchange(r.Exchange)
		r.Substitutions = []*understudyv1.Substitution{{
			Kind: names.Redacted.Kind, Recorded: redactor.Token(r.Exchange, "b1-of-all"), Candidate: redactor.Token(r.Exchange, "c1-of-all"), LearnedFrom: "e0", Proof: proof,
		}}
		redactor.Replay(r)
		if got := judgement(t, r); string(got.Verdict) != want {
			t.Errorf("%s: %s, want %s; %v", candidate, got.Verdict, want, lines(got))
		}
	}
	f("c1-of-all", understudyv1.Substitution_PROOF_CREATED, "match")
	f("b1-of-all", understudyv1.Substitution_PROOF_CREATED, "mismatch")
	f("b1-of-all", understudyv1.Substitution_PROOF_ALIGNED, "presumed")
}

// TestRedactedFields: the digest of a body and an e-mail address are compared by
// their tokens, if these are of one key. Of others these show only whether they differ.
func TestRedactedFields(t *testing.T) {
	key, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	r := redact.New(redact.Config{}, key)
	f := func(baseline, candidate, want string) {
		t.Helper()
		p := immediate(response(200, `{"otp":123456}`, baseline), response(200, `{"otp":123456}`, candidate))
		r.Exchange(p.Exchange)
		r.Replay(p)
		j, err := comparator.NewJudge(comparator.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		if got := j.Judge(p); string(got.Verdict) != want {
			t.Errorf("%s and %s: %s, want %s; %v", baseline, candidate, got.Verdict, want, lines(got))
		}
	}
	f("Repr-Digest: sha-256=:a=:", "Repr-Digest: sha-256=:b=:", "mismatch")
	f("Repr-Digest: sha-256=:a=:", "Repr-Digest: sha-256=:a=:", "match")
	f("X-User: ann@shop.example", "X-User: bob@shop.example", "mismatch")
	f("X-User: ann@shop.example", "X-User: ann@shop.example", "match")
	// What differs is hidden: it may be the time of a token, or its role.
	f("X-Auth-Token: one-of-it", "X-Auth-Token: one-of-it", "match")
	f("X-Auth-Token: one-of-it", "X-Auth-Token: another-one", "presumed")
	f("X-Auth-Token: "+jwt(`{"sub":"u1","role":"user"}`, "s"), "X-Auth-Token: "+jwt(`{"sub":"u1","role":"admin"}`, "s"), "presumed")
	f("Authorization: Bearer "+jwt(`{"sub":"u1"}`, "s"), "Authorization: Bearer "+jwt(`{"sub":"u2"}`, "s"), "presumed")
	f("Set-Cookie: role=user; Path=/", "Set-Cookie: role=admin; Path=/", "presumed")
	f("Set-Cookie: role=user; Path=/", "Set-Cookie: role=user; Path=/", "match")
	f("Set-Cookie: role=user; Path=/", "Set-Cookie: role=admin; Path=/; Secure", "mismatch")
	f("Location: /a?token=one-of-it", "Location: /a?token=another-one", "presumed")
	f("Location: /a?token=one-of-it", "Location: /b?token=another-one", "mismatch")
}

// TestARuleForWhatIsRedacted: who knows that a value is made anew can say so.
func TestARuleForWhatIsRedacted(t *testing.T) {
	cfg := comparator.DefaultConfig()
	cfg.Rules = []comparator.Rule{{Name: "sessions", Owner: "shop", Reason: "made anew", Path: "header:set-cookie:sid;value", Action: "ignore"}}
	f := func(baseline, candidate string, want comparator.Verdict) {
		t.Helper()
		j, err := comparator.NewJudge(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := j.Judge(immediate(response(200, "", "Set-Cookie: "+baseline), response(200, "", "Set-Cookie: "+candidate))); got.Verdict != want {
			t.Errorf("%s and %s: %v", baseline, candidate, lines(got))
		}
	}
	const one, other = "rdx_0123456789012345678901", "rdx_1234567890123456789012"
	f("sid="+one, "sid="+other, comparator.Match)
	f("sid="+one, "sid=plain", comparator.Match)
	f("role="+one, "role="+other, comparator.Incomplete)
	f("sid="+one+"; Secure", "sid="+other, comparator.Mismatch)
}
