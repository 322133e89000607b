package wire

import (
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestAProbeIsNotInterrupted: a signal at the moment of the look, with which Go's
// runtime preempts threads, says nothing about the connection.
func TestAProbeIsNotInterrupted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // of this test alone
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String()) //nolint:noctx // of this test alone
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	near, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	thread, stop, stopped := unix.Gettid(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Tgkill(unix.Getpid(), thread, unix.SIGURG)
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	p := ProbeOf(near)
	looks := 0
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); looks++ {
		if hung, broken := p.HungUp(); hung || broken || !p.Quiet() {
			t.Fatalf("look %d: hung up %t, broken %t", looks, hung, broken)
		}
	}
	t.Logf("%d looks", looks)
}
