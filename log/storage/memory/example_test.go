package memory_test

import (
	"errors"
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
)

// A test has the disk fail when it wants to, and looks at what the next process finds.
func Example() {
	store := memory.New(storage.Metadata{Cluster: "example", Replica: 1})
	fmt.Println(store.Put(log.Action{Position: 1, Promised: 7}), store.Sync())

	store.FailNext(memory.Sync, errors.New("input/output error"))
	fmt.Println(store.Put(log.Action{Position: 2, Promised: 7}))
	err := store.Sync()
	fmt.Println(errors.Is(err, storage.ErrFailed), errors.Is(store.Put(log.Action{Position: 3}), storage.ErrFailed))

	next := store.Crash(nil) // nil: nothing but what was synced; with a source of chance, some of the rest as well
	_, first, _ := next.Get(1)
	_, second, _ := next.Get(2)
	fmt.Println(first, second)
	// Output:
	// <nil> <nil>
	// <nil>
	// true true
	// true false
}
