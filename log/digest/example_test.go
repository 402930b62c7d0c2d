package digest_test

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/digest"
)

// block is the sum of the first block of a log that has these bytes at position 9.
func block(at9 string) digest.Block {
	h := digest.NewHash()
	for p := log.Position(1); p <= digest.Positions; p++ {
		v := log.Value{Kind: log.NOP}
		if p == 9 {
			v = log.Value{Kind: log.Append, Data: []byte(at9)}
		}
		h.Add(log.Action{Position: p, Learned: true, Value: v})
	}
	return digest.Block{First: 1, Sum: h.Block()}
}

// A bit of what replica 1 holds has changed, and no checksum of its disk saw it. The two others know.
func Example() {
	book := digest.NewBook(1, 3) // of replica 1, of three
	missing, _ := book.Next(log.Range{First: 1, Last: 300})
	fmt.Println("to be summed:", missing.Range())
	book.Put(block("hellp"))

	for peer := log.ReplicaID(2); peer <= 3; peer++ {
		for _, f := range book.Hear(peer, []digest.Block{block("hello")}) {
			fmt.Println(f.Peer, "differs in", f.Block, "and is one of a quorum:", f.Minority)
		}
	}
	// Output:
	// to be summed: [1, 256]
	// 2 differs in [1, 256] and is one of a quorum: false
	// 3 differs in [1, 256] and is one of a quorum: true
}
