package backup_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage/backup"
)

// A log is saved in two files, one behind the other, and read back as a chain.
func Example() {
	dir, err := os.MkdirTemp("", "backup")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory: nothing is lost if it stays

	save(dir, "one", 1)
	save(dir, "two", 2)
	chain, err := backup.OpenChain(dir)
	fmt.Println(len(chain.Files), "files, from", chain.Begin(), err)
	for actions, err := range chain.Records() {
		for _, a := range actions {
			fmt.Println(a.Position, string(a.Value.Data), err)
		}
	}
	// Output:
	// 2 files, from 1 <nil>
	// 1 one <nil>
	// 2 two <nil>
}

// save writes one entry into a file of its own.
func save(dir, entry string, at log.Position) {
	w, err := backup.Create(dir, backup.Manifest{Cluster: "example", Source: 1, Begin: 1})
	if err != nil {
		panic(err)
	}
	by := log.NewProposal(1, 1)
	value := log.Value{Kind: log.Append, Data: []byte(entry)}
	if err := w.Add([]log.Action{{Position: at, Promised: by, Performed: by, Learned: true, Value: value}}); err != nil {
		panic(err)
	}
	_, err = w.Finish(func(m backup.Manifest) string { return filepath.Join(dir, m.String()) }, func(*backup.Manifest) {})
	if err != nil {
		panic(err)
	}
}
