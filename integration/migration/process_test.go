package migration

import (
	"os"
	"os/exec"
	"testing"
)

// process is a command that goes on.
type process struct {
	cmd  *exec.Cmd
	out  *logs
	over chan struct{}
}

// launch starts one; the test ends it.
func launch(t *testing.T, home string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(binary, args...), out: new(logs), over: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home)
	p.cmd.Stderr, p.cmd.Stdout = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { defer close(p.over); _ = p.cmd.Wait() }()
	t.Cleanup(p.kill)
	return p
}

// kill ends it as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.over
}
