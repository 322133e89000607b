package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// keyFlag adds where the keys of tokens are.
func (a *app) keyFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.cfg.Record.KeyFile, "key-file", a.cfg.Record.KeyFile,
		"file with the keys of session and redaction tokens, one a line (16 bytes or more), the current one first; without it one that this user's commands share")
}

// ownKey lets the commands of one user on one machine share a key where none is
// given: what a replay redacts is comparable with what a recorder has redacted
// only under the same one. Where no file can be written, each process makes its
// own key, as it is said.
func (a *app) ownKey() {
	r := &a.cfg.Record
	if r.Key != "" || r.KeyFile != "" {
		return
	}
	file, err := sharedKey()
	if err != nil {
		a.log.Warn("no key of redaction is given and none can be kept: tokens are equal within this process only, and a replay cannot compare what is redacted; give --key-file", "error", err)
		return
	}
	r.KeyFile = file
}

// sharedKey is the file of this user's key, which is made if it is not there.
func sharedKey() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "understudy", "redaction-keys")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	// Written aside and linked, so that of two commands that start at once one
	// key holds, and nobody reads half of it.
	draft, err := os.CreateTemp(filepath.Dir(file), "redaction-keys-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(draft.Name())
	_, err = draft.WriteString(base64.StdEncoding.EncodeToString(secret) + "\n")
	if err = errors.Join(err, draft.Close()); err != nil {
		return "", err
	}
	if err := os.Link(draft.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return file, nil
}
