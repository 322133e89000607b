// Package token turns secrets into tokens: under one key equal values give
// equal tokens, and without the key a token reveals nothing about its value.
package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"io"
	"sync"
)

// MinKeyBytes is the shortest key accepted: 128 bits.
const MinKeyBytes = 16

// size is how many characters of the encoded HMAC a token keeps: 22 hold 132
// bits.
const size = 22

// Key makes tokens with HMAC-SHA256 (RFC 2104). It is safe for concurrent use.
type Key struct {
	macs sync.Pool
	id   string
}

// New makes a Key from a secret of at least MinKeyBytes bytes. An empty secret
// gives a random Key, whose tokens no other process can reproduce.
func New(secret []byte) (*Key, error) {
	switch {
	case len(secret) == 0:
		secret = make([]byte, sha256.Size)
		_, _ = rand.Read(secret) // never fails (crypto/rand)
	case len(secret) < MinKeyBytes:
		return nil, errors.New("token key: must have at least 16 bytes, or be empty for a random one")
	}
	k := new(Key)
	k.macs.New = func() any { return &mac{hash: hmac.New(sha256.New, secret)} }
	id := k.Token("id", "")
	k.id = id[len(id)-size:][:idSize]
	return k, nil
}

// idSize is how many characters an id has: 48 bits, since keys are few.
const idSize = 8

// ID names the key: it is made from it, so that two processes with one key call
// it the same, and tells nothing about it.
func (k *Key) ID() string { return k.id }

// Sum is the HMAC of a value in a domain, for tokens of another shape than
// Token's.
func (k *Key) Sum(domain, value string) [sha256.Size]byte {
	m := k.macs.Get().(*mac)
	defer k.macs.Put(m)
	m.sum = [sha256.Size]byte(m.of(domain, value))
	return m.sum
}

type mac struct {
	hash hash.Hash
	sum  [sha256.Size]byte
}

func (m *mac) of(domain, value string) []byte {
	m.hash.Reset()
	_, _ = io.WriteString(m.hash, domain)
	_, _ = m.hash.Write([]byte{0})
	_, _ = io.WriteString(m.hash, value)
	return m.hash.Sum(m.sum[:0])
}

// Token returns domain, a label of at most 20 bytes, followed by "_" and 22
// characters of the URL-safe base64 alphabet. One value has different tokens in
// different domains, so tokens made for different purposes cannot be linked.
func (k *Key) Token(domain, value string) string {
	m := k.macs.Get().(*mac)
	defer k.macs.Put(m)
	sum := m.of(domain, value)
	var out [64]byte
	n := copy(out[:20], domain)
	out[n] = '_'
	n++
	var text [(sha256.Size + 2) / 3 * 4]byte
	base64.RawURLEncoding.Encode(text[:], sum)
	n += copy(out[n:], text[:size])
	return string(out[:n])
}
