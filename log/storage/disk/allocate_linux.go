package disk

import "golang.org/x/sys/unix"

// allocate gives a file its space, and its size.
func allocate(file uintptr, offset, length int64) error {
	return unix.Fallocate(int(file), 0, offset, length)
}
