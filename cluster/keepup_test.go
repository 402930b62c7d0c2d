package cluster

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/messages"
)

func TestAClientThatOneMemberAnswersAllTheTimeHearsOfOtherMembers(t *testing.T) {
	now := membership.Configuration{Epoch: 1, Highest: 2, Members: []membership.Member{
		{ID: 1, Address: "a:1", Role: membership.Voter}, {ID: 2, Address: "b:1", Role: membership.Voter},
	}}
	var changed atomic.Bool
	c := clientOf(t, func(m proto.Message) proto.Message {
		switch m := m.(type) {
		case *messages.StatusRequest:
			s := answerStatus(m, 1, messages.Status_STATUS_VOTING)
			if changed.Load() {
				s.Epoch = now.Epoch
			}
			return s
		case *messages.MembersRequest:
			return &messages.MembersResponse{Request: m.GetRequest(), Outcome: &messages.MembersResponse_Configuration{
				Configuration: codec.EncodeConfiguration(now)}}
		}
		return voting(1, 7)(m)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for len(c.Members()) == 1 {
		if _, err := c.Append(ctx, []byte("entry")); err != nil {
			t.Fatalf("it knows %s, and then: %v", FormatMembers(c.Members()), err)
		}
		changed.Store(true)
	}
}
