package member

import (
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/gateway"
)

// adviser is whoever has something to say to the operator. Each takes back only what it said itself.
type adviser int

const (
	recovering adviser = iota // why the replica does not vote yet
	belonging                 // that it is no member
	auditing                  // that its log differs from another one
	copying                   // which learned records are damaged
	advisers
)

// advice is what all of them say at present; empty where all is well.
type advice [advisers]string

func (a advice) String() string {
	var said []string
	for _, text := range a {
		if text != "" {
			said = append(said, text)
		}
	}
	return strings.Join(said, "; ")
}

// advise has the member's status show what somebody says now.
func (m *member) advise(ctx actor.Context, by adviser, text string) {
	m.advice[by] = text
	ctx.Send(m.gateway, gateway.Advise{Text: m.advice.String()})
}
