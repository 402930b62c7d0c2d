package codec_test

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/messages"
)

// A value goes over the wire as a message. Whoever reads it has a value again that holds every rule of log.proto, or an error.
func Example() {
	header := codec.EncodeHeader(identity.Identity{
		Cluster: identity.ClusterID{1}, Configuration: 1, Replica: 2, Process: 3,
		Incarnation: identity.Incarnation{Generation: 1, Disk: 0xa}, Boot: 1, BootAge: 1, Age: 5,
	}, 42, nil)
	wire, err := proto.Marshal(codec.EncodeWriteRequest(header, codec.Write{
		By: log.NewProposal(5, 2), First: 21, Values: []log.Value{{Kind: log.Append, Data: []byte("hello")}},
	}))
	if err != nil {
		panic(err)
	}

	m := new(messages.WriteRequest)
	if err := proto.Unmarshal(wire, m); err != nil {
		panic(err)
	}
	w, err := codec.DecodeWriteRequest(m)
	fmt.Println(w.From.Replica, "asks under", w.By, "at", w.First, string(w.Values[0].Data), err)

	m.First = 0 // no position
	_, err = codec.DecodeWriteRequest(m)
	fmt.Println(errors.Is(err, codec.ErrMalformed))
	// Output:
	// 2 asks under 5.2 at 21 hello <nil>
	// true
}
