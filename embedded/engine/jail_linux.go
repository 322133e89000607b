package engine

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A jail runs calls on threads that the kernel keeps within some folders
// (Landlock, Linux 5.13 and later). The engine's own threads are children of
// these and inherit it, which is why every call that may start one goes
// through the jail. The rest of the process is as free as before.
type jail struct {
	ruleset int // a file descriptor
	jobs    chan func()
}

// What Landlock handles, by the version of its interface (linux/landlock.h). A
// version must not be asked for what it does not know.
const (
	landlockV1 = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1
	landlockV2 = landlockV1 | unix.LANDLOCK_ACCESS_FS_REFER
	landlockV3 = landlockV2 | unix.LANDLOCK_ACCESS_FS_TRUNCATE

	landlockRead = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
)

// errNoJail is what newJail gives on a kernel without Landlock.
var errNoJail = errors.New("this kernel has no Landlock")

// newJail allows everything within folders, and reading within readable.
// Version 1 could not rename from one folder into another, which the engine
// does.
func newJail(folders, readable []string) (*jail, error) {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 || version < 2 {
		return nil, errNoJail
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: landlockV2}
	size := unsafe.Sizeof(attr.Handled_access_fs)
	if version >= 3 {
		attr.Handled_access_fs = landlockV3
	}
	if version >= 4 { // no rule allows any of it: the engine has nobody to talk to
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		size += unsafe.Sizeof(attr.Handled_access_net)
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return nil, fmt.Errorf("make Landlock's rules: %w", errno)
	}
	j := &jail{ruleset: int(fd), jobs: make(chan func())}
	for _, dir := range folders {
		if err := j.allow(dir, attr.Handled_access_fs&^unix.LANDLOCK_ACCESS_FS_EXECUTE); err != nil {
			return nil, errors.Join(err, unix.Close(j.ruleset))
		}
	}
	for _, path := range readable {
		if err := j.allow(path, landlockRead); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, errors.Join(err, unix.Close(j.ruleset))
		}
	}
	if err := j.try(); err != nil {
		return nil, errors.Join(err, unix.Close(j.ruleset))
	}
	return j, nil
}

// try enters the jail with a thread that ends there.
func (j *jail) try() error {
	entered := make(chan error)
	go func() { runtime.LockOSThread(); entered <- j.enter() }()
	return <-entered
}

func (j *jail) allow(path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return fmt.Errorf("look at %s: %w", path, err)
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(j.ruleset), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0); errno != 0 {
		return fmt.Errorf("let the engine use %s: %w", path, errno)
	}
	return nil
}

// do runs f on a thread of the jail and waits for it.
func (j *jail) do(f func()) {
	done := make(chan struct{})
	job := func() { defer close(done); f() }
	select {
	case j.jobs <- job: // a thread is idle
	default:
		go j.thread(job)
	}
	<-done
}

// thread is a thread of the jail. It is never given back to the runtime, which
// would run other goroutines in the jail.
func (j *jail) thread(job func()) {
	runtime.LockOSThread()
	if err := j.enter(); err != nil {
		panic(err) // it has worked before (try): to go on without would open the jail
	}
	for job != nil {
		job()
		job = <-j.jobs
	}
}

// close ends the threads; nothing may be done in the jail any more.
func (j *jail) close() {
	close(j.jobs)
	_ = unix.Close(j.ruleset)
}

func (j *jail) enter() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new rights: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(j.ruleset), 0, 0); errno != 0 {
		return fmt.Errorf("enter the jail: %w", errno)
	}
	return nil
}

// systemFiles are the files of the system that the engine reads: memory and
// processors, time zones, the extent of its stacks. /proc as a whole would give
// it the environment of this process.
var systemFiles = []string{
	"/proc/self/maps", "/proc/self/statm", "/proc/self/stat", "/proc/self/status", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat",
	"/proc/loadavg", "/proc/uptime", "/sys/fs/cgroup", "/sys/devices/system/cpu", "/usr/share/zoneinfo", "/etc/localtime",
	"/dev/null", "/dev/urandom",
	"/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/gai.conf", // a dictionary looks for localhost
}

// confine keeps the engine within folders until release is called, when it has
// stopped; errNoJail where the kernel cannot.
func (l *library) confine(folders []string) (release func(), err error) {
	j, err := newJail(folders, systemFiles)
	if err != nil {
		return nil, err
	}
	l.imprison(j)
	return j.close, nil
}

// imprison makes the library's calls that do work, or may start threads, run in
// the jail. Those that only look at a result stay outside.
func (l *library) imprison(j *jail) {
	for _, target := range []any{&l.connect, &l.closeConn, &l.streamQuery, &l.queryParams, &l.streamFetch, &l.streamCancel,
		&l.query, &l.insertStart, &l.insertAppend, &l.insertDone, &l.insertCancel, &l.insertDestroy, &l.destroy} {
		field := reflect.ValueOf(target).Elem()
		free := reflect.ValueOf(field.Interface())
		field.Set(reflect.MakeFunc(field.Type(), func(args []reflect.Value) (out []reflect.Value) {
			j.do(func() { out = free.Call(args) })
			return out
		}))
	}
}
