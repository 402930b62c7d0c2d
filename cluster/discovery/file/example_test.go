package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/file"
)

// Something else writes the file; it is looked at as long as somebody wants to know.
func Example() {
	dir, err := os.MkdirTemp("", "members")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory: nothing is lost if it stays
	path := filepath.Join(dir, "members")
	if err := os.WriteFile(path, []byte("# where they are now\n1=10.0.0.7:7101\n2=10.0.0.2:7101\n"), 0o600); err != nil {
		panic(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	err = file.New(path).Watch(ctx, func(p discovery.Places) {
		fmt.Println(p[1], p[2])
		cancel()
	})
	fmt.Println(err)

	_, err = file.Parse([]byte("1=10.0.0.7\n")) // no port
	fmt.Println(err != nil)
	// Output:
	// [10.0.0.7:7101] [10.0.0.2:7101]
	// <nil>
	// true
}
