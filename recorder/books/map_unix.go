//go:build unix

package books

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func mapPage(f *os.File) (page, func() error, error) {
	b, err := syscall.Mmap(int(f.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return unsafe.Slice((*uint64)(unsafe.Pointer(&b[0])), int(pageSize)), func() error { return syscall.Munmap(b) }, nil
}

func syncPage(p page) error {
	return unix.Msync(unsafe.Slice((*byte)(unsafe.Pointer(&p[0])), 4096), unix.MS_SYNC)
}
