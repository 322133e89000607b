package kafkatest

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a broker on the JVM.
type process struct {
	java, classpath, dir string
	heapMiB              int
	secure               *Secure

	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended
}

// newProcesses formats the storage of n brokers on free ports of loopback.
func newProcesses(n int, secure bool) (addrs []string, nodes []node, err error) {
	java, err := program("java", "a Java runtime, 17 or newer")
	if err != nil {
		return nil, nil, err
	}
	dir, err := jars()
	if err != nil {
		return nil, nil, err
	}
	sweep()
	ports, err := freePorts(n + controllers(n))
	if err != nil {
		return nil, nil, err
	}
	addrs, voters := ports[:n], ports[n:]
	id := make([]byte, 16)
	rand.Read(id)
	cluster := base64.RawURLEncoding.EncodeToString(id)
	for i := range n {
		m := settings(i+1, n, voters)
		m["listeners"] = "CLIENT://" + addrs[i]
		if i < len(voters) {
			m["listeners"] += ",CONTROLLER://" + voters[i]
		}
		m["advertised.listeners"] = "CLIENT://" + addrs[i]
		m["inter.broker.listener.name"] = "CLIENT"
		m["listener.security.protocol.map"] = "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT"
		var s *Secure
		if secure {
			if s, err = newSecure(); err != nil {
				return nil, nil, err
			}
			s.settings(m)
		}
		p, err := format(java, filepath.Join(dir, "*"), cluster, m)
		if err != nil {
			for _, earlier := range nodes {
				earlier.remove()
			}
			return nil, nil, err
		}
		if n > 1 {
			p.heapMiB = 256
		}
		p.secure = s
		nodes = append(nodes, p)
	}
	return addrs, nodes, nil
}

// freePorts are addresses of loopback that were free a moment ago, all
// different.
func freePorts(n int) ([]string, error) {
	var out []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("free port: %w", err)
		}
		defer l.Close()
		out = append(out, l.Addr().String())
	}
	return out, nil
}

const dataPrefix = "understudy-kafka-"

// sweep removes the data of brokers whose test binary was killed.
func sweep() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), dataPrefix+"*"))
	for _, dir := range left {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dataPrefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && syscall.Kill(n, 0) == syscall.ESRCH {
			os.RemoveAll(dir)
		}
	}
}

func format(java, classpath, cluster string, m map[string]string) (*process, error) {
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", dataPrefix, os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("kafka data: %w", err)
	}
	m["log.dirs"] = filepath.Join(dir, "data")
	p := &process{java: java, classpath: classpath, dir: dir, heapMiB: 512}
	err = os.WriteFile(p.config(), []byte(properties(m)), 0o644)
	if err == nil {
		cmd := exec.Command(java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classpath,
			"kafka.tools.StorageTool", "format", "--cluster-id="+cluster, "-c", p.config()) // an id may begin with -
		cmd.SysProcAttr = tied()
		var out []byte
		if out, err = cmd.CombinedOutput(); err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("format kafka storage: %w", err)
	}
	return p, nil
}

func (p *process) config() string { return filepath.Join(p.dir, "server.properties") }

func (p *process) start() error {
	if p.running() {
		return fmt.Errorf("already running")
	}
	out, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	cmd := exec.Command(p.java, fmt.Sprintf("-Xmx%dm", p.heapMiB), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dlog4j2.level=WARN", "-cp", p.classpath, "kafka.Kafka", p.config())
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = tied()
	started, done := make(chan error), make(chan struct{})
	go func() {
		defer close(done)
		defer out.Close()
		// The kernel ends the child with the thread that started it, not with
		// the process, so this thread must live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start java: %w", err)
	}
	p.cmd, p.done = cmd, done
	return nil
}

func (p *process) running() bool {
	if p.done == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stop asks the broker to shut down, and kills it after half a minute.
func (p *process) stop() error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	_ = p.signal(syscall.SIGCONT) // a paused broker would never notice
	select {
	case <-p.done:
		return nil
	case <-time.After(30 * time.Second):
		return p.kill()
	}
}

func (p *process) kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

func (p *process) pause() error  { return p.signal(syscall.SIGSTOP) }
func (p *process) resume() error { return p.signal(syscall.SIGCONT) }

func (p *process) signal(s syscall.Signal) error {
	if !p.running() {
		return fmt.Errorf("not running")
	}
	return p.cmd.Process.Signal(s)
}

// remove does not ask: the data go too.
func (p *process) remove() {
	if p.running() {
		_ = p.kill() // fails only when it has just ended by itself
	}
	os.RemoveAll(p.dir)
	if p.secure != nil {
		os.RemoveAll(p.secure.Dir)
	}
}

func (p *process) log() string {
	b, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b[max(0, len(b)-8<<10):]))
}
