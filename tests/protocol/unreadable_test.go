package protocol

import (
	"errors"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// unreadable is a disk whose records cannot be read any more, once it is broken.
type unreadable struct {
	storage.Store
	broken bool
}

func (d *unreadable) Scan(within log.Range, visit func(log.Action) bool) error {
	if d.broken {
		return storage.ErrFailed
	}
	return d.Store.Scan(within, visit)
}

// The writes that it fences are held against the disk before it leaves.
func TestAPromiseIsNotSaidByADiskThatFailsMeanwhile(t *testing.T) {
	c := kit.Initialized(t, 1, 3)
	m, p, disk := c.Member(1), c.Peer(2), &unreadable{}
	m.Prepare(nil, kit.Accepted(2, by(1, 3), "below a hole"))
	m.Wrap = func(s storage.Store) storage.Store { disk.Store = s; return disk }
	m.Start()
	c.AwaitVoting(m)
	p.Promise(m, by(9, 2), log.Range{})
	m.Probe.Request(m.PID(member.Replica), codec.EncodeWriteRequest(p.Header(), codec.Write{
		By: by(9, 2), First: 2, Values: []log.Value{kit.Entry("e")},
	}))
	actortest.ExpectNone[any](t, m.Probe, time.Second)
	disk.broken = true
	m.Probe.Request(m.PID(member.Replica), codec.EncodePromiseRequest(p.Header(), by(10, 2), log.Range{}))
	c.World.Run(time.Second)
	if m.Failure() == nil {
		t.Fatal("the disk was not read")
	}
	for _, answer := range m.Probe.Messages() {
		if a, ok := answer.(*messages.PromiseResponse); ok && a.GetPromised() != nil {
			t.Errorf("it says %v, and has only %s durable", a, m.Store.Metadata().Promised)
		}
	}
}

func TestADiskThatCannotBeReadAtTheStartEndsTheMember(t *testing.T) {
	c := kit.Initialized(t, 1, 3)
	m := c.Member(2)
	m.Store.FailNext(memory.Read, errors.New("bad checksum"))
	c.Start()
	wait(t, c, "it has ended", func() bool { return m.Failure() != nil })
	if err := m.Failure(); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("it ends with %v", err)
	}
	c.AwaitVoting(c.Member(1), c.Member(3))
}
