package disk

import (
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// crashCounter counts the operations that change a file system.
type crashCounter struct {
	lock  sync.Mutex
	count int
}

// at calls crash right before the n-th operation.
func (c *crashCounter) at(n int, crash func()) errorfs.Injector {
	return errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsRead {
			return nil
		}
		c.lock.Lock()
		defer c.lock.Unlock()
		if c.count++; c.count == n {
			crash()
		}
		return nil
	})
}

// operations is how many have begun.
func (c *crashCounter) operations() int {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.count
}

// injecting is a file system with an injector before each operation, also on a file that is written into an older one: errorfs hands out
// such a file bare.
type injecting struct{ *errorfs.FS }

func inject(fs vfs.FS, i errorfs.Injector) vfs.FS { return injecting{errorfs.Wrap(fs, i)} }

func (i injecting) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := i.Rename(from, to); err != nil {
		return nil, err
	}
	return i.OpenReadWrite(to, category)
}
