package disk_test

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// A data directory is made, used, and opened again by the next process. This one is on a file system in memory; without FS it is
// on the operating system's.
func Example() {
	options := disk.Options{
		Dir: "data", FS: vfs.NewMem(), Create: true, Logger: zerolog.Nop(),
		Cluster: "example", Replica: 1, Members: []log.ReplicaID{1, 2, 3},
	}
	first := open(options)
	fmt.Println(first.Metadata().Status, "in start", first.Metadata().Boot)
	by := log.NewProposal(1, 1)
	entry := log.Value{Kind: log.Append, Data: []byte("hello")}
	fmt.Println(first.Put(log.Action{Position: 1, Promised: by, Performed: by, Value: entry}), first.Learn(log.Span(1, 1)))
	fmt.Println(first.Sync(), first.Close())

	second := open(options)
	a, found, err := second.Get(1)
	fmt.Println(string(a.Value.Data), found, err, "in start", second.Metadata().Boot)
	report, err := disk.Check(second, nil) // every record, and its checksum
	fmt.Println(report.Records, report.Learned, report.Corrupt.Empty(), err)
	fmt.Println(second.Close())

	options.Replica = 2 // somebody else's directory
	_, err = disk.Open(options)
	fmt.Println(errors.Is(err, storage.ErrForeign))
	// Output:
	// EMPTY in start 1
	// <nil> <nil>
	// <nil> <nil>
	// hello true <nil> in start 2
	// 1 [1, 1] true <nil>
	// <nil>
	// true
}

func open(o disk.Options) *disk.Store {
	s, err := disk.Open(o)
	if err != nil {
		panic(err)
	}
	return s
}
