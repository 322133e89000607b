package access

import (
	"understudy.dev/setting"
)

// Config says who may do what at the admin listener, beside /livez and /readyz,
// which anybody may ask. Its zero value lets those on this machine do everything,
// and others see metrics only.
type Config struct {
	// ViewTokenFile holds the bearer tokens of those who may look: one a line, of
	// 16 characters or more, a name and a blank before it if several are to be
	// told apart. It is read again when it changes.
	ViewTokenFile string `yaml:"view_token_file"`
	// OperateTokenFile holds the bearer tokens of those who may also turn the kill
	// switch and take profiles, written in the same way.
	OperateTokenFile string `yaml:"operate_token_file"`
	// CertFile makes the admin listener speak TLS with the certificate in it, PEM;
	// empty is plain TCP.
	CertFile string `yaml:"cert_file"`
	// KeyFile holds the key of the certificate, PEM.
	KeyFile string `yaml:"key_file"`
	// ClientCAFile holds the authorities, PEM, whose client certificates have a
	// role by view and operate; empty takes no client certificates.
	ClientCAFile string `yaml:"client_ca_file"`
	// View are common names or organizational units of client certificates that
	// may look.
	View []string `yaml:"view"`
	// Operate are those that may also turn the kill switch and take profiles.
	Operate []string `yaml:"operate"`
	// Hosts are the names under which it may be asked, beside localhost and
	// addresses; metrics are shown under any. A name that is not listed may be
	// that of a web page whose owner has pointed it here.
	Hosts []string `yaml:"hosts"`
}

// Validate reports every mistake in the section, what is in the files aside.
func (cfg Config) Validate() error {
	var ps setting.Problems
	ps.Require((cfg.CertFile == "") == (cfg.KeyFile == ""), "cert_file", cfg.CertFile, "needs key_file beside it, and the reverse")
	ps.Require(cfg.ClientCAFile == "" || cfg.CertFile != "", "client_ca_file", cfg.ClientCAFile, "needs cert_file and key_file: client certificates are part of TLS")
	named := len(cfg.View)+len(cfg.Operate) > 0
	ps.Require(cfg.ClientCAFile == "" || named, "client_ca_file", cfg.ClientCAFile, "needs view or operate: names in client certificates that have the role")
	ps.Require(cfg.ClientCAFile != "" || !named, "client_ca_file", nil, "is needed: view and operate are about the client certificates of its authorities")
	for i, name := range cfg.View {
		ps.Require(name != "", setting.Index("view", i), name, "is empty")
	}
	for i, name := range cfg.Operate {
		ps.Require(name != "", setting.Index("operate", i), name, "is empty")
	}
	return ps.Err()
}

// Given says whether anybody has to show who they are.
func (cfg Config) Given() bool {
	return cfg.ViewTokenFile != "" || cfg.OperateTokenFile != "" || cfg.ClientCAFile != ""
}
