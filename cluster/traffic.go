package cluster

import (
	"fmt"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/cluster/certificate"
	"github.com/quorumlog/quorumlog/messages"
)

// traffic is what a message is: who sends such a one, and to whom.
//
//	              sent by                           to
//	votes         members                           replicas, and the actors that ask them
//	changes       members, clients                  gateways
//	looks         members, clients, readers         gateways
//	mixed         as looks without a change in it, else as changes
//	answers       members                           clients
//	grants        members, clients, readers         subscriptions of a gateway
//	endings       members, clients, readers         the same: a subscriber has ended
//
// What a message is, its type says: whatever goes between replicas begins with a header, and whatever goes between clients and
// gateways with the number of the request. So a new message is a change, which readers may not ask for, until looks names it.
type traffic int

const (
	nothing traffic = iota
	votes
	changes
	looks
	mixed
	answers
	grants
	endings
)

// trafficOf says what a type of message is.
func trafficOf(m proto.Message) traffic {
	switch m.(type) {
	case *messages.ReadRequest, *messages.CatchupRequest, *messages.DigestRequest, *messages.StatusRequest, *messages.EventsRequest,
		*messages.SubscribeRequest:
		return looks
	case *messages.Delivery, *messages.LogTruncated, *messages.Lagging, *messages.Ended:
		return answers
	case *messages.Grant:
		return grants
	case *actor.Terminated:
		return endings
	case *messages.MembersRequest:
		return mixed
	}
	fields, name := m.ProtoReflect().Descriptor().Fields(), string(proto.MessageName(m))
	switch first := fields.ByNumber(1); {
	case first == nil:
		return nothing
	case first.Name() == "header":
		return votes
	case strings.HasSuffix(name, "Response"):
		return answers
	}
	return changes
}

// taken says what an actor, of whichever log, takes from other processes: the three that serve, the actors below those that ask (an answer goes
// to whoever asked: rounds, fetches), and clients. Nothing: no other process may send to it.
func taken(name string) traffic {
	if isClient(name) {
		return answers
	}
	_, below, ok := logOf(name)
	if !ok {
		return nothing
	}
	switch parent, child, isChild := strings.Cut(below, "/"); parent {
	case member.Gateway:
		switch {
		case !isChild:
			return changes
		case strings.HasPrefix(child, member.Subscription):
			return grants
		}
		return votes
	case member.Replica, member.Network, member.Audit:
		if !isChild {
			return votes
		}
	case member.Recover, member.Coordinator, member.Leader, member.Follow:
		if isChild {
			return votes
		}
	}
	return nothing
}

func isClient(name string) bool { return strings.HasPrefix(name, clientPrefix) }

// isOurs says whether an actor of that name may be one of a member, of whichever log.
func isOurs(name string) bool {
	root, _, _ := strings.Cut(name, "/")
	return root == logName || strings.HasPrefix(root, logName+".")
}

// to says whether an actor takes such a message.
func (t traffic) to(target traffic) bool {
	return t == target && t != endings || (t == looks || t == mixed) && target == changes || t == endings && target == grants
}

// of returns what is wrong with such a message from somebody; empty where he may send it.
func (t traffic) of(who certificate.Identity, data []byte) string {
	switch {
	case who.Role == certificate.Member && t == votes:
		return headedBy(who, data)
	case who.Role == certificate.Member || t == looks || t == grants || t == endings:
		return ""
	case t == mixed && isLook(data):
		return ""
	case t == changes || t == mixed:
		return unless(who.Role == certificate.Client, "a reader may not send it")
	}
	return "only a member may send it"
}

// Numbers of fields in the schema: the header of whatever goes between replicas, and the replica in it; the change of MembersRequest.
const (
	headerField  protowire.Number = 1
	replicaField protowire.Number = 3
	changeField  protowire.Number = 2 // of what is mixed
)

// isLook says whether there is no change in a message.
func isLook(data []byte) bool {
	return each(data, changeField, protowire.BytesType, func([]byte) bool { return false })
}

// headedBy returns what is wrong with the header of a message: a replica may speak for itself only.
func headedBy(who certificate.Identity, data []byte) string {
	named := 0
	ok := each(data, headerField, protowire.BytesType, func(field []byte) bool {
		header, _ := protowire.ConsumeBytes(field)
		return each(header, replicaField, protowire.VarintType, func(field []byte) bool {
			named++
			id, _ := protowire.ConsumeVarint(field)
			return uint32(id) == uint32(who.Member) // as protobuf reads it
		})
	})
	if !ok || named == 0 {
		return fmt.Sprintf("it is not in the name of %s, who sends it", who)
	}
	return ""
}

// each looks at every field of a message with a number and a kind, since the last one counts, or all of them together, and says
// whether all were as they should be. What is no message is not.
func each(wire []byte, number protowire.Number, kind protowire.Type, is func(field []byte) bool) bool {
	for len(wire) > 0 {
		n, k, length := protowire.ConsumeTag(wire)
		if length < 0 {
			return false
		}
		wire = wire[length:]
		if length = protowire.ConsumeFieldValue(n, k, wire); length < 0 {
			return false
		}
		if n == number && k == kind && !is(wire[:length]) {
			return false
		}
		wire = wire[length:]
	}
	return true
}
