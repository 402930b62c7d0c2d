package hostile

import (
	"fmt"
	"hash/fnv"
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// allowance is how much memory the handling of one frame may allocate, in bytes: what a batch of the greatest size costs
// to be read, copied and answered, several times over.
const allowance = 16 * log.MaxRunBytes

// moment is how much virtual time passes after each frame: enough for an answer, too little for an election.
const moment = 20 * time.Millisecond

// subject is the member that is attacked, and who plays its peer.
type subject struct {
	t      testing.TB
	member *kit.Member
	peer   *kit.Peer
	world  *actortest.World
	kinds  []proto.Message
	seen   int // answers to the frames before
}

// newSubject starts a member whose disk holds a little of everything: a truncation, learned entries, a hole, and a vote.
func newSubject(t testing.TB) *subject {
	t.Helper()
	c := kit.Initialized(t, 1, 3)
	by := log.NewProposal(3, 2)
	m := c.Member(1)
	m.Prepare(nil, kit.Chosen(1, by, "one"), kit.Chosen(2, by, "two"), kit.Chosen(3, by, "three"), kit.Accepted(5, by, "five"))
	c.World.Net.Delay(time.Microsecond, time.Microsecond)
	m.Start()
	s := &subject{t: t, member: m, peer: c.Peer(2), world: c.World, kinds: kinds()}
	s.world.Run(moment)
	if _, err := s.peer.Recover(m); err != nil { // from now on the member knows its peer's incarnation
		t.Fatal(err)
	}
	s.seen = len(s.peer.Messages())
	return s
}

// targets are the names of the subject's actors.
func (s *subject) targets() []string { return s.member.Node.Actors() }

// send delivers a frame, and checks what it did.
func (s *subject) send(f Frame) {
	s.t.Helper()
	m := proto.Clone(s.kinds[int(f.Kind)%len(s.kinds)])
	if proto.Unmarshal(f.Wire, m) != nil {
		return // protoactor drops it
	}
	s.disguise(m, f.Guise)
	targets := s.targets()
	to := s.member.Node.PID(targets[int(f.Target)%len(targets)])
	before, extent, used := s.digest(), s.extent(), allocated()
	s.peer.Request(to, m)
	s.world.Run(moment)
	what := fmt.Sprintf("%s to %s: %v", m.ProtoReflect().Descriptor().Name(), to.Id, m)
	if err := s.member.Failure(); err != nil {
		s.t.Fatalf("the member gave up: %v\n%s", err, what)
	}
	if now := allocated() - used; now > allowance {
		s.t.Fatalf("%d bytes were allocated\n%s", now, what)
	}
	if s.digest() != before {
		s.justify(f, m, what)
		s.extent().within(s.t, extent, what)
	}
	s.seen = len(s.peer.Messages())
}

// justify fails the test unless the frame was one that may change the disk.
func (s *subject) justify(f Frame, m proto.Message, what string) {
	s.t.Helper()
	switch m.(type) {
	case *messages.PromiseRequest, *messages.WriteRequest, *messages.LearnedMessage, *messages.RecoverRequest, *messages.Hello:
		if f.Guise == stranger || f.Guise == impostor || f.Guise == older {
			s.t.Fatalf("the disk changed for somebody who does not belong to the cluster\n%s", what)
		}
	case *messages.AppendRequest, *messages.TruncateRequest, *messages.ElectRequest, *messages.CatchupRequest:
		return // the coordinator reserves a proposal
	default:
		s.t.Fatalf("the disk changed\n%s", what)
	}
	for _, answer := range s.peer.Messages()[s.seen:] {
		if refused(answer) {
			s.t.Fatalf("the disk changed, and the answer is %v\n%s", answer, what)
		}
	}
}

// extent is how far the member has come.
type extent struct {
	round uint64       // of the highest proposal
	end   log.Position // the highest position with a record
}

func (s *subject) extent() extent {
	s.t.Helper()
	held, err := s.member.Store.Summary()
	if err != nil {
		s.t.Fatal(err)
	}
	learned, _ := held.Learned.Last()
	accepted, _ := held.Unlearned.Last()
	return extent{s.member.Store.Metadata().Highest.Round(), max(learned, accepted)}
}

// within fails the test where one frame took the member further than it may.
func (e extent) within(t testing.TB, before extent, what string) {
	t.Helper()
	if e.round > before.round+paxos.MaxJump || e.end > before.end+log.Window {
		t.Fatalf("from %+v to %+v in one step\n%s", before, e, what)
	}
}

// refused says whether an answer is a refusal.
func refused(answer any) bool {
	m, ok := answer.(proto.Message)
	if !ok {
		return false
	}
	field := m.ProtoReflect().Descriptor().Fields().ByName("refused")
	return field != nil && m.ProtoReflect().Has(field)
}

// disguise gives a message the header of somebody.
func (s *subject) disguise(m proto.Message, g Guise) {
	field := m.ProtoReflect().Descriptor().Fields().ByName("header")
	if field == nil || g == bare {
		return
	}
	who := s.peer.Identity
	switch g {
	case stranger:
		who.Cluster = identity.ClusterID{9}
	case impostor:
		who.Replica = 9
	case older:
		who.Incarnation.Disk++
	case bare, peer, guises:
	}
	request := m.ProtoReflect().Get(field).Message().Interface().(*messages.Header).GetRequest()
	m.ProtoReflect().Set(field, protoreflect.ValueOfMessage(codec.EncodeHeader(who, request, nil).ProtoReflect()))
}

// digest is of all that is on the member's disk.
func (s *subject) digest() uint64 {
	s.t.Helper()
	sum := fnv.New64a()
	_, _ = fmt.Fprintf(sum, "%+v", s.member.Store.Metadata()) // a hash never fails
	held, err := s.member.Store.Summary()
	if err != nil {
		s.t.Fatal(err)
	}
	_, _ = fmt.Fprintf(sum, "%v", held)
	if err := s.member.Store.Scan(log.Range{First: 1, Last: log.MaxPosition}, func(a log.Action) bool {
		_, _ = fmt.Fprintf(sum, "%+v", a)
		return true
	}); err != nil {
		s.t.Fatal(err)
	}
	return sum.Sum64()
}

// allocated is how many bytes this process has allocated since it began.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// index is the number of an actor of the subject, by the end of its name.
func (s *subject) index(name string) uint8 {
	at := slices.Index(s.targets(), kit.Name+"/"+name)
	if at < 0 {
		s.t.Fatalf("there is no actor %s: %v", name, s.targets())
	}
	return uint8(at)
}
