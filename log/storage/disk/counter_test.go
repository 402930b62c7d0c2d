package disk

import (
	"sync"

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
