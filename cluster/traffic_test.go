package cluster

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/cluster/certificate"
	"github.com/quorumlog/quorumlog/messages"
)

// secured is a guard of a member that knows who is where.
func secured() *guard {
	g := newGuard(ownAddress, zerolog.Nop())
	g.access = access{serves: true, members: newRoster([]Member{{1, ownAddress}, {2, "127.0.0.1:4102"}, {3, "127.0.0.1:4103"}})}
	return g
}

func holds(role certificate.Role) *certificate.Identity {
	if role == certificate.Member {
		return &certificate.Identity{Cluster: "b", Role: role, Member: 2}
	}
	return &certificate.Identity{Cluster: "b", Role: role, Name: "somebody"}
}

// passes says whether the guard lets a message through, from whoever answers are to go to.
func passes(t *testing.T, who *certificate.Identity, m proto.Message, target string, sender *actor.PID) bool {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	b := &remote.MessageBatch{
		TypeNames: []string{string(proto.MessageName(m))}, Targets: []string{target}, Envelopes: []*remote.MessageEnvelope{{MessageData: data}},
	}
	if sender != nil {
		b.Senders, b.Envelopes[0].Sender = []*actor.PID{sender}, 1
	}
	err = secured().check(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}}, who)
	if err != nil {
		t.Fatal(err)
	}
	return len(b.GetEnvelopes()) == 1
}

func TestRolesMaySendWhatTheirCertificatesAllow(t *testing.T) {
	const gateway, replica = logName + "/gateway", logName + "/replica"
	header := &messages.Header{Replica: 2}
	for _, r := range []struct {
		m                      proto.Message
		to                     string
		member, client, reader bool
	}{
		{&messages.ReadRequest{Request: 1}, gateway, true, true, true},
		{&messages.CatchupRequest{Request: 1}, gateway, true, true, true},
		{&messages.DigestRequest{Request: 1}, gateway, true, true, true},
		{&messages.StatusRequest{Request: 1}, gateway, true, true, true},
		{&messages.StatusRequest{Request: 1}, "quorumlog.orders/gateway", true, true, true},
		{&messages.AppendRequest{Request: 1}, "quorumlog.orders/gateway", true, true, false},
		{&messages.PromiseRequest{Header: header}, "quorumlog.orders/replica", true, false, false},
		{&messages.EventsRequest{Request: 1}, gateway, true, true, true},
		{&messages.SubscribeRequest{Request: 1}, gateway, true, true, true},
		{&messages.Grant{Request: 1}, aSubscription, true, true, true},
		{&messages.AppendRequest{Request: 1}, gateway, true, true, false},
		{&messages.TruncateRequest{Request: 1}, gateway, true, true, false},
		{&messages.ElectRequest{Request: 1}, gateway, true, true, false},
		{&messages.Hello{Header: header}, replica, true, false, false},
		{&messages.PromiseRequest{Header: header}, replica, true, false, false},
		{&messages.WriteRequest{Header: header}, replica, true, false, false},
		{&messages.LearnedMessage{Header: header}, replica, true, false, false},
		{&messages.FetchRequest{Header: header}, replica, true, false, false},
		{&messages.Welcome{Header: header}, logName + "/network", true, false, false},
		{&messages.WriteResponse{Header: header}, logName + "/coordinator/$1", true, false, false},
		{&messages.AppendResponse{Request: 1}, clientPrefix + "$1", true, false, false},
		{&messages.StatusResponse{Request: 1}, clientPrefix + "$1", true, false, false},
		{&messages.Delivery{Request: 1}, clientPrefix + "$1", true, false, false},
	} {
		for role, may := range map[certificate.Role]bool{
			certificate.Member: r.member, certificate.Client: r.client, certificate.Reader: r.reader,
		} {
			if got := passes(t, holds(role), r.m, r.to, nil); got != may {
				t.Errorf("%s sends a %s: passes %t", role, proto.MessageName(r.m), got)
			}
		}
	}
}

func TestMessagesGoWhereSuchAreTaken(t *testing.T) {
	header := &messages.Header{Replica: 2}
	for _, r := range []struct {
		m  proto.Message
		to string
	}{
		{&messages.Hello{Header: header}, logName + "/gateway"},
		{&messages.AppendRequest{Request: 1}, logName + "/replica"},
		{&messages.StatusRequest{Request: 1}, clientPrefix + "$1"},
		{&messages.StatusRequest{Request: 1}, logName + "/gateway/$1"},
		{&messages.AppendResponse{Request: 1}, logName + "/gateway"},
		{&messages.WriteResponse{Header: header}, clientPrefix + "$1"},
		{&messages.Grant{Request: 1}, logName + "/gateway"},
		{&messages.Grant{Request: 1}, logName + "/gateway/$1"},
		{&messages.Delivery{Request: 1}, aSubscription},
		{&messages.ReadRequest{Request: 1}, aSubscription},
	} {
		if passes(t, nil, r.m, r.to, nil) || passes(t, holds(certificate.Member), r.m, r.to, nil) {
			t.Errorf("%s takes a %s", r.to, proto.MessageName(r.m))
		}
	}
}

func TestAMemberSpeaksForItselfOnly(t *testing.T) {
	for id, may := range map[uint32]bool{0: false, 1: false, 2: true, 3: false, 2 + 1<<16: false} {
		m := &messages.PromiseRequest{Header: &messages.Header{Replica: id}}
		if got := passes(t, holds(certificate.Member), m, logName+"/replica", nil); got != may {
			t.Errorf("member 2 speaks as %d: passes %t", id, got)
		}
	}
	if passes(t, holds(certificate.Member), &messages.PromiseRequest{}, logName+"/replica", nil) {
		t.Error("member 2 speaks as nobody")
	}
}

// Protobuf takes the last of a number that comes twice, and puts two parts together: so whoever looks at the first only is fooled.
func TestAHeaderThatIsWrittenTwiceSpeaksForOneMember(t *testing.T) {
	who := *holds(certificate.Member)
	replica := func(id uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, replicaField, protowire.VarintType), id)
	}
	header := func(inner ...byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, headerField, protowire.BytesType), inner)
	}
	join := func(parts ...[]byte) (all []byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for name, r := range map[string]struct {
		wire []byte
		may  bool
	}{
		"once":                 {header(replica(2)...), true},
		"twice the same":       {join(header(replica(2)...), header(replica(2)...)), true},
		"two headers":          {join(header(replica(2)...), header(replica(3)...)), false},
		"two headers, back":    {join(header(replica(3)...), header(replica(2)...)), false},
		"two in one header":    {header(join(replica(2), replica(3))...), false},
		"more than 32 bits":    {header(replica(1<<32 | 3)...), false},
		"the same, in 64 bits": {header(replica(1<<32 | 2)...), true},
		"in another field":     {protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), replica(2)), false},
		"cut off":              {header(replica(2)...)[:3], false},
		"nothing":              {nil, false},
	} {
		fault := headedBy(who, r.wire)
		if (fault == "") != r.may {
			t.Errorf("%s: %q", name, fault)
		}
		if m := (&messages.PromiseRequest{}); fault == "" && (proto.Unmarshal(r.wire, m) != nil || m.GetHeader().GetReplica() != 2) {
			t.Errorf("%s: passes, and protobuf reads replica %d", name, m.GetHeader().GetReplica())
		}
	}
}

func TestAnswersGoToWhoeverAsked(t *testing.T) {
	for _, r := range []struct {
		role     certificate.Role
		address  string
		name     string
		may      bool
		question proto.Message
	}{
		{certificate.Member, "127.0.0.1:4102", logName + "/coordinator/$1", true, &messages.PromiseRequest{Header: &messages.Header{Replica: 2}}},
		{certificate.Member, "127.0.0.1:4103", logName + "/coordinator/$1", false, &messages.PromiseRequest{Header: &messages.Header{Replica: 2}}},
		{certificate.Member, "127.0.0.1:9999", logName + "/coordinator/$1", false, &messages.PromiseRequest{Header: &messages.Header{Replica: 2}}},
		{certificate.Member, "127.0.0.1:4102", clientPrefix + "$1", true, &messages.StatusRequest{Request: 1}},
		{certificate.Client, "127.0.0.1:9999", clientPrefix + "$1", true, &messages.AppendRequest{Request: 1}},
		{certificate.Client, "127.0.0.1:4103", clientPrefix + "$1", false, &messages.AppendRequest{Request: 1}},
		{certificate.Client, "127.0.0.1:9999", "future$1", true, &messages.AppendRequest{Request: 1}},
		{certificate.Client, "127.0.0.1:4103", "future$1", false, &messages.AppendRequest{Request: 1}},
		{certificate.Client, "127.0.0.1:9999", logName, false, &messages.AppendRequest{Request: 1}},
		{certificate.Client, "127.0.0.1:9999", logName + ".orders/replica", false, &messages.AppendRequest{Request: 1}},
		{certificate.Client, "127.0.0.1:9999", logName + "/replica", false, &messages.AppendRequest{Request: 1}},
		{certificate.Reader, "127.0.0.1:4103", clientPrefix + "$1", false, &messages.ReadRequest{Request: 1}},
	} {
		to := logName + "/gateway"
		if trafficOf(r.question) == votes {
			to = logName + "/replica"
		}
		if got := passes(t, holds(r.role), r.question, to, actor.NewPID(r.address, r.name)); got != r.may {
			t.Errorf("%s has %s answered at %s, %s: passes %t", r.role, proto.MessageName(r.question), r.address, r.name, got)
		}
	}
}

// Whoever could say of anybody that he has ended could end others' subscriptions, and have this process connect anywhere.
func TestWhoHasEndedIsWhoMayAsk(t *testing.T) {
	for _, r := range []struct {
		role    certificate.Role
		address string
		name    string
		may     bool
	}{
		{certificate.Member, "127.0.0.1:4102", "$1", true},
		{certificate.Member, "127.0.0.1:4103", "$1", false},
		{certificate.Client, "127.0.0.1:9999", "$1", true},
		{certificate.Client, "127.0.0.1:4103", "$1", false},
		{certificate.Client, "127.0.0.1:9999", logName + "/replica", false},
		{certificate.Reader, "127.0.0.1:9999", "$1", true},
		{certificate.Reader, "127.0.0.1:4102", "$1", false},
	} {
		if got := passes(t, holds(r.role), &actor.Terminated{Who: actor.NewPID(r.address, r.name)}, aSubscription, nil); got != r.may {
			t.Errorf("%s says that %s at %s has ended: passes %t", r.role, r.name, r.address, got)
		}
	}
}

// A member that is in no list may ask, and is answered where no other member is: the protocol tells it that it is none.
func TestAMemberThatIsInNoListSpeaksForItself(t *testing.T) {
	nine := &certificate.Identity{Cluster: "b", Role: certificate.Member, Member: 9}
	m := &messages.Hello{Header: &messages.Header{Replica: 9}}
	for address, may := range map[string]bool{"127.0.0.1:9999": true, "127.0.0.1:4103": false} {
		if got := passes(t, nine, m, logName+"/replica", actor.NewPID(address, logName+"/network")); got != may {
			t.Errorf("at %s: passes %t", address, got)
		}
	}
	if passes(t, nine, &messages.Hello{Header: &messages.Header{Replica: 2}}, logName+"/replica", nil) {
		t.Error("member 9 speaks as member 2")
	}
}

func TestWhoIsWhereFollowsTheLog(t *testing.T) {
	a := secured().access
	two, four := *holds(certificate.Member), certificate.Identity{Cluster: "b", Role: certificate.Member, Member: 4}
	const before, after = "127.0.0.1:4102", "127.0.0.1:4202"
	if a.at(before, two) != nil || a.at(after, two) == nil || a.at(before, four) == nil || a.at(after, four) != nil {
		t.Error("before")
	}
	a.members.set("", []Member{{1, ownAddress}, {2, after}, {4, before}})
	if a.at(after, two) != nil || a.at(before, two) == nil || a.at(before, four) != nil || a.at(after, four) == nil {
		t.Error("after")
	}
}

// A reader may ask who the members are, and not have them changed.
func TestReadersAskForTheMembersOnly(t *testing.T) {
	for m, may := range map[*messages.MembersRequest]bool{
		{Request: 1}: true, {Request: 1, Change: &messages.Change{}}: false,
	} {
		if got := passes(t, holds(certificate.Reader), m, logName+"/gateway", nil); got != may {
			t.Errorf("%v: passes %t", m, got)
		}
		if !passes(t, holds(certificate.Client), m, logName+"/gateway", nil) {
			t.Errorf("%v: a client may not send it", m)
		}
	}
}

// A message that is new is a change until somebody says that it only looks.
func TestEveryMessageHasItsTraffic(t *testing.T) {
	count := make(map[traffic]int)
	for _, m := range wire() {
		count[trafficOf(m)]++
		if trafficOf(m) == nothing {
			t.Errorf("%s is nobody's", proto.MessageName(m))
		}
	}
	const told = 4 // to subscribers, without a question
	if count[looks] == 0 || count[changes] == 0 || count[votes] == 0 || count[answers] != count[looks]+count[changes]+count[mixed]+told {
		t.Errorf("every question has one answer: %v", count)
	}
	if count[grants] != 1 || count[endings] != 1 {
		t.Errorf("subscribers grant, and end: %v", count)
	}
}
