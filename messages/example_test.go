package messages_test

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/messages"
)

// A client appends by sending this to the actor "quorumlog/gateway" of any member. A session and a number make it safe to send
// again. Package cluster does it for you, and package log/codec reads it.
func Example() {
	session := make([]byte, 16)
	session[0] = 0xc1 // draw them all, once
	wire, err := proto.Marshal(&messages.AppendRequest{
		Request: 7, Entries: [][]byte{[]byte("one"), []byte("two")}, Session: session, Sequence: 1,
	})
	if err != nil {
		panic(err)
	}

	var read messages.AppendRequest
	fmt.Println(proto.Unmarshal(wire, &read), len(read.GetEntries()), "entries, from number", read.GetSequence())
	var absent *messages.AppendRequest
	fmt.Println(absent.GetSequence(), len(absent.GetEntries())) // what is not there is zero, and no panic
	// Output:
	// <nil> 2 entries, from number 1
	// 0 0
}
