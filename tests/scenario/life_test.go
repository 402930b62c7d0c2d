package scenario

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/memory"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func lifeCommands() map[string]command {
	return map[string]command{
		"cluster": (*script).makeCluster, "start": (*script).start, "crash": (*script).crash, "wipe": (*script).wipe,
		"run": (*script).run, "await": (*script).await, "stranger": (*script).stranger,
	}
}

// makeCluster: "cluster n=3 [auto] [elects] [voting=(1,2)] [starting=3]" makes members with EMPTY disks, but for those named.
// None is started. With elects they elect a writer by themselves.
func (s *script) makeCluster() string {
	var n int
	s.line.ScanArgs(s, "n", &n)
	s.cluster = kit.New(s, s.seed, n, s.line.HasArg("auto"))
	s.cluster.AutoElect = s.line.HasArg("elects")
	s.cluster.World.Filter(s.judge)
	for key, to := range map[string]status.Status{"voting": status.Voting, "starting": status.Starting} {
		for _, m := range s.listed(key) {
			meta := m.Store.Metadata()
			meta.Status = to
			m.Store = memory.New(meta)
		}
	}
	return ""
}

// start: "start [1 2]" starts members, for the first time or after a crash, and lets them find each other.
func (s *script) start() string {
	for _, m := range s.members() {
		if !m.Node.Up() {
			m.Restart()
		} else {
			m.Start()
		}
	}
	s.cluster.World.Run(time.Second)
	return ""
}

// crash: "crash [1 2]" ends members' processes; what was not synced is lost.
func (s *script) crash() string {
	for _, m := range s.members() {
		m.Crash()
	}
	return ""
}

// wipe: "wipe [1 2]" gives members that are down an EMPTY disk.
func (s *script) wipe() string {
	for _, m := range s.members() {
		m.Wipe()
	}
	return ""
}

// run: "run 5s" lets virtual time pass.
func (s *script) run() string {
	d, err := time.ParseDuration(s.line.CmdArgs[0].Key)
	if err != nil {
		s.line.Fatalf(s, "%v", err)
	}
	s.cluster.World.Run(d)
	return ""
}

// await: "await VOTING [1 2] [for=5s]" runs the world until members have a status; VOTING ones serve clients, too.
func (s *script) await() string {
	limit := patience
	s.line.MaybeScanArgs(s, "for", &limit)
	want := s.words()[0]
	passed, ok := s.until(limit, func() bool {
		for _, m := range s.members() {
			if is := m.Store.Metadata().Status; is.String() != want || is == status.Voting && !m.Reported(member.Recovered{}) {
				return false
			}
		}
		return true
	})
	if !ok {
		return "no" + passed
	}
	return "yes"
}

// stranger is a replica whose member list has itself besides the members.
type stranger struct {
	id     log.ReplicaID
	store  *memory.Store
	events []any
}

// stranger: "stranger 4" starts an EMPTY replica whose member list has itself besides the members.
func (s *script) stranger() string {
	x := &stranger{id: log.ReplicaID(s.number(s.line.CmdArgs[0].Key))}
	ids := []log.ReplicaID{}
	peers := map[log.ReplicaID]*actor.PID{}
	for _, m := range s.cluster.Members {
		ids, peers[m.ID] = append(ids, m.ID), m.PID(member.Replica)
	}
	ids = append(ids, x.id)
	n := s.cluster.World.Node(fmt.Sprintf("node%d:7000", x.id))
	x.store = memory.New(storage.Metadata{
		Cluster: "test", Replica: x.id, Members: ids, Status: status.Empty,
		Incarnation: identity.Incarnation{Generation: 1, Disk: 7}, Boot: 1,
	})
	n.Spawn(kit.Name, member.Props(member.Config{
		Ensemble: ensemble.Ensemble{
			Self: x.id, Members: ids, Clock: n.Clock(), Random: n.Random(), Patience: ensemble.Usual(), Log: zerolog.Nop(),
		},
		Others: peers, Store: x.store, Cluster: identity.ClusterID{1}, Configuration: 2,
		Report: func(e any) { x.events = append(x.events, e) },
	}))
	s.strangers = append(s.strangers, x)
	return ""
}
