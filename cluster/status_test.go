package cluster

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/messages"
)

func TestStatusTellsHowFarACatchUpIs(t *testing.T) {
	c := clientOf(t, func(m proto.Message) proto.Message {
		s := answerStatus(m.(*messages.StatusRequest), 1, messages.Status_STATUS_RECOVERING)
		s.Catchup = &messages.Progress{Total: 9, Done: 3, Bytes: 1000, ElapsedMicros: 500_000, Rate: 2000, LeftMicros: 1_000_000}
		return s
	})
	want := CatchupProgress{Total: 9, Done: 3, Bytes: 1000, Elapsed: time.Second / 2, Rate: 2000, Left: time.Second}
	if s := c.Status(t.Context()); s[0].Catchup != want {
		t.Errorf("got %+v, want %+v", s[0], want)
	}
}
