package redact_test

import (
	"strings"
	"testing"

	"understudy.dev/exchange/redact"
)

func TestWhatIsSecretByItsName(t *testing.T) {
	for _, name := range strings.Fields(`reset_token session_id sessionId session sessionKey device_token deviceToken invite_token verification_code
		secret_key private_key client_secret password user.password otp_token otp magic_link nonce sas_token api_token refreshToken webhook_secret
		signing_key access_token accesstoken csrfmiddlewaretoken _csrf authenticity_token X-Session-Id X-Auth-Token Authorization JSESSIONID PHPSESSID
		sid API_KEY apiKey tokens api_keys reset bearer ACCESS_TOKEN jwt`) {
		if !redact.IsSecret(name) {
			t.Errorf("%s is no secret", name)
		}
	}
	for _, name := range strings.Fields(`id order_id key monkey order_key primary_key Idempotency-Key postal_code currencyCode code link self_link ticket
		page_token nextPageToken continuation-token syncToken count X-Order-Id possession_date sessions_total keyboard author secretary tokenized @id _`) {
		if redact.IsSecret(name) {
			t.Errorf("%s is a secret", name)
		}
	}
	if redact.IsSecret("") || redact.IsSecret(strings.Repeat("a_", 500)+"token") {
		t.Error("no name, or one too long")
	}
}

func TestWhatIsAToken(t *testing.T) {
	token := key(t).Token("rdx", "hush")
	for text, want := range map[string]bool{token: true, token + "x": false, "rdx_1": false, "Bearer " + token: false, "": false} {
		if redact.IsToken(text) != want {
			t.Errorf("%q: want %t", text, want)
		}
	}
}
