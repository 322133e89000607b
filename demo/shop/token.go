package shop

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"
)

// Role is what a token lets a customer be.
const Role = "shopper"

// TokenLife is how long a token holds.
const TokenLife = time.Hour

// Sign makes a JSON Web Token (RFC 7519) of claims, signed with HMAC-SHA256.
// The claims must have a JSON form.
func Sign(key []byte, claims any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		return ""
	}
	code := base64.RawURLEncoding.EncodeToString
	signed := code([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + code(payload)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(signed))
	return signed + "." + code(mac.Sum(nil))
}
