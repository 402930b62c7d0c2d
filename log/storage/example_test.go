package storage_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
)

// What a store was told is visible at once, and safe once a sync that began later is done: only then may an answer leave.
func ExampleStore() {
	engine := memory.New(storage.Fresh(storage.Metadata{Cluster: "example", Replica: 1, Members: []log.ReplicaID{1, 2, 3}}, 0xa))
	var store storage.Store = engine // package disk has the one that needs no memory

	by := log.NewProposal(1, 1)
	record := func(p log.Position) log.Action {
		return log.Action{Position: p, Promised: by, Performed: by, Value: log.Value{Kind: log.Append, Data: []byte("x")}}
	}
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	check(store.Put(record(1), record(2)))
	wait := store.StartSync() // the disk works,
	check(store.Put(record(3)))
	check(wait()) // and 1 and 2 are safe

	s, err := store.Summary()
	fmt.Println("visible:", s.Unlearned, err)
	s, err = engine.Crash(nil).Summary()
	fmt.Println("after a crash:", s.Unlearned, err)
	// Output:
	// visible: [1, 3] <nil>
	// after a crash: [1, 2] <nil>
}
