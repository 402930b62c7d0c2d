package cluster

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/messages"
)

// changing is a member that votes and makes changes, once it has said so many times that it may not.
func changing(refusals int, made membership.Configuration) func(proto.Message) proto.Message {
	return func(m proto.Message) proto.Message {
		switch m := m.(type) {
		case *messages.StatusRequest:
			return answerStatus(m, 1, messages.Status_STATUS_VOTING)
		case *messages.MembersRequest:
			if refusals--; refusals >= 0 {
				return &messages.MembersResponse{Request: m.GetRequest(), Outcome: &messages.MembersResponse_Failure{
					Failure: codec.EncodeFailure(messages.Code_CODE_UNHEALTHY, "nobody was heard yet")}}
			}
			return &messages.MembersResponse{Request: m.GetRequest(), Outcome: &messages.MembersResponse_Configuration{
				Configuration: codec.EncodeMembership(made)}}
		}
		return nil
	}
}

// observed is a log of two voters and an observer between them.
func observed() membership.Configuration {
	return membership.Configuration{Epoch: 1, Highest: 3, Members: []membership.Member{
		{ID: 1, Address: "a:1", Role: membership.Voter}, {ID: 2, Address: "b:1", Role: membership.Observer},
		{ID: 3, Address: "c:1", Role: membership.Voter},
	}}
}

func TestChangeIsAskedForAgainWhereTheMembersHaveNotHeardEachOtherYet(t *testing.T) {
	got, err := clientOf(t, changing(4, observed())).RemoveMember(t.Context(), 4)
	if err != nil || got.Epoch != 1 {
		t.Errorf("got %+v: %v", got, err)
	}
}

func TestChangeThatWouldLeaveNoQuorumIsRefusedInAFewSeconds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := clientOf(t, changing(1<<30, observed())).RemoveMember(ctx, 4); !errors.Is(err, ErrUnhealthy) || ctx.Err() != nil {
		t.Errorf("got %v (%v)", err, ctx.Err())
	}
}

func TestOnlyAVoterTakesOver(t *testing.T) {
	asked := make(chan log.ReplicaID, 3)
	electable := func(id log.ReplicaID) func(proto.Message) proto.Message {
		return func(m proto.Message) proto.Message {
			elect, ok := m.(*messages.ElectRequest)
			if !ok {
				return nil
			}
			asked <- id
			return &messages.ElectResponse{Request: elect.GetRequest(), Outcome: &messages.ElectResponse_Elected{
				Elected: &messages.Elected{Writer: 1, End: 7}}}
		}
	}
	c := clientOf(t, electable(1), electable(2), electable(3))
	c.adopt(observed())
	c.handOver(t.Context(), c.Members()[0])
	close(asked)
	var all []log.ReplicaID
	for id := range asked {
		all = append(all, id)
	}
	if !slices.Equal(all, []log.ReplicaID{3}) {
		t.Errorf("these were elected: %v", all)
	}
}
