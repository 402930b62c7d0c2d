package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/cluster/certificate"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/messages"
)

// certs is a directory with an authority and what it signed.
type certs struct {
	dir       string
	authority certificate.Pair
}

const testCluster = "b"

func newCerts(t testing.TB) *certs {
	t.Helper()
	authority, err := certificate.NewAuthority(testCluster, time.Now(), 1)
	if err != nil {
		t.Fatal(err)
	}
	c := &certs{t.TempDir(), authority}
	if err := certificate.In(c.dir, "ca").Write(authority); err != nil {
		t.Fatal(err)
	}
	return c
}

func asMember(id log.ReplicaID) certificate.Identity {
	return certificate.Identity{Cluster: testCluster, Role: certificate.Member, Member: id}
}

func asClient(role certificate.Role) certificate.Identity {
	return certificate.Identity{Cluster: testCluster, Role: role, Name: "somebody"}
}

// make makes a certificate that was issued a while ago and is valid for a day from then on, in the place of the one before.
func (c *certs) make(t testing.TB, who certificate.Identity, age time.Duration) Security {
	t.Helper()
	pair, err := c.authority.Issue(who, time.Now().Add(-age), 1)
	if err != nil {
		t.Fatal(err)
	}
	paths := certificate.In(c.dir, strings.ReplaceAll(who.String(), " ", "-"))
	for path, text := range map[string][]byte{paths.Key: pair.Key, paths.Certificate: pair.Certificate} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Security{CA: certificate.In(c.dir, "ca").Certificate, Certificate: paths.Certificate, Key: paths.Key}
}

// Where a peer of its own process finds its certificates.
const certsVariable = "QUORUMLOG_TEST_CERTS"

// startPeer starts a peer that is member 1 of a cluster with member 2 at an address where nobody is.
func (c *certs) startPeer(t testing.TB, address string) *peer {
	t.Helper()
	s := c.make(t, asMember(1), 0)
	return startPeer(t, address, certsVariable+"="+strings.Join([]string{s.CA, s.Certificate, s.Key}, ":"))
}

func peersOf(address string) []Member {
	return []Member{{1, address}, {2, "127.0.0.1:1"}, {3, "127.0.0.1:2"}}
}

// accessOfPeer is the access of the process of a peer.
func accessOfPeer(t testing.TB, address string) access {
	t.Helper()
	files := strings.Split(os.Getenv(certsVariable), ":")
	if id, _, placed := strings.Cut(os.Getenv(placeVariable), "@"); placed && len(files) != 3 {
		return access{members: newRoster([]Member{{log.ReplicaID(id[0] - '0'), address}}), serves: true}
	}
	if len(files) != 3 {
		return access{}
	}
	c := Config{ID: 1, Cluster: testCluster, Members: peersOf(address), Security: Security{CA: files[0], Certificate: files[1], Key: files[2]}}
	a, err := c.openFor(c.Members[0])
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// startAsker starts a client of a peer.
func (c *certs) startAsker(t testing.TB, peer string) *asker {
	t.Helper()
	a, err := c.make(t, asClient(certificate.Client), 0).openAsClient(peersOf(peer), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	asker := startShutWith(t, a)
	asker.transport.open()
	return asker
}

// pretender talks to a process with somebody's certificate, and without any manners.
func pretender(t *testing.T, address string, s Security) remote.RemotingClient {
	t.Helper()
	shown, err := tls.LoadX509KeyPair(s.Certificate, s.Key)
	if err != nil {
		t.Fatal(err)
	}
	return talkTo(t, address, credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{shown}, InsecureSkipVerify: true}))
}

func talkTo(t *testing.T, address string, how credentials.TransportCredentials) remote.RemotingClient {
	t.Helper()
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(how))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return remote.NewRemotingClient(c)
}

// hello is what a replica says to another one, and to whom it wants to be answered.
func hello(t *testing.T, replica uint32, request uint64) *remote.RemoteMessage {
	t.Helper()
	data, err := proto.Marshal(&messages.Hello{Header: &messages.Header{Replica: replica, Request: request}})
	if err != nil {
		t.Fatal(err)
	}
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: &remote.MessageBatch{
		TypeNames: []string{string(proto.MessageName(&messages.Hello{}))}, Targets: []string{logName + "/replica"},
		Senders: []*actor.PID{actor.NewPID("127.0.0.1:1", logName+"/network")}, Envelopes: []*remote.MessageEnvelope{{MessageData: data, Sender: 1}},
	}}}
}

func TestPeersWithCertificatesTalk(t *testing.T) {
	if !alone(t) {
		return
	}
	c := newCerts(t)
	p := c.startPeer(t, free(t))
	c.startAsker(t, p.address).ask(t, p.gateway())
}

func TestNobodyIsLetInWithoutACertificateOfTheLog(t *testing.T) {
	if !alone(t) {
		return
	}
	c, foreign := newCerts(t), newCerts(t)
	p := c.startPeer(t, free(t))
	a := c.startAsker(t, p.address)
	anonymous := credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})
	old := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}
	known := c.make(t, asMember(2), 0)
	pair, err := tls.LoadX509KeyPair(known.Certificate, known.Key)
	if err != nil {
		t.Fatal(err)
	}
	old.Certificates = []tls.Certificate{pair}
	for name, stranger := range map[string]remote.RemotingClient{
		"in plain text":               talkTo(t, p.address, insecure.NewCredentials()),
		"without a certificate":       talkTo(t, p.address, anonymous),
		"with TLS 1.2":                talkTo(t, p.address, credentials.NewTLS(old)),
		"signed by another authority": pretender(t, p.address, foreign.make(t, asMember(2), 0)),
		"expired":                     pretender(t, p.address, c.make(t, asMember(3), 48*time.Hour)),
	} {
		if err := tryHello(t, stranger, hello(t, 2, 77)); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: let in: %v", name, err)
		}
	}
	a.ask(t, p.gateway())
	if heard := await(t, p.heard, "the peer to hear"); heard != "1" {
		t.Errorf("the peer heard request %s of a stranger", heard)
	}
}

// tryHello says something, and returns how that ended.
func tryHello(t *testing.T, c remote.RemotingClient, packet *remote.RemoteMessage) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := c.Receive(ctx)
	if err != nil {
		return err
	}
	_ = s.Send(packet) // Recv gets the reason
	_ = s.CloseSend()
	_, err = s.Recv()
	return err
}

func TestAPeerWithTheCertificateOfOneMemberCannotSpeakAsAnother(t *testing.T) {
	if !alone(t) {
		return
	}
	c := newCerts(t)
	p := c.startPeer(t, free(t))
	two := pretender(t, p.address, c.make(t, asMember(2), 0))
	for _, packet := range []*remote.RemoteMessage{hello(t, 3, 33), hello(t, 1, 11), hello(t, 2, 22)} {
		if err := say(t, two, packet); !errors.Is(err, io.EOF) {
			t.Errorf("the stream ended with %v", err)
		}
	}
	if heard := await(t, p.heard, "the peer to hear"); heard != "22" {
		t.Errorf("the peer heard hello %s", heard)
	}
}

func TestADialerRefusesWhoeverIsNotMeant(t *testing.T) {
	if !alone(t) {
		return
	}
	c := newCerts(t)
	p := c.startPeer(t, free(t)) // it is member 1
	own, err := c.make(t, asClient(certificate.Client), 0).openAsClient([]Member{{2, p.address}}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	a := startShutWith(t, own)
	a.transport.open()
	a.pass(300*time.Millisecond, p.gateway())
	if fault := a.transport.faults().of(p.address); fault == nil || !strings.Contains(fault.Error(), "where member 2 should be, is member 1 of") {
		t.Errorf("%v", fault)
	}
	select {
	case <-p.heard:
		t.Error("member 1 heard what was for member 2")
	default:
	}
}

// Connections are made anew when certificates are, in the middle of what is said: nothing is lost, and nothing is lost later, when
// the certificates before expire.
func TestRenewedCertificatesLoseNoMessage(t *testing.T) {
	if !alone(t) {
		return
	}
	c := newCerts(t)
	p := c.startPeer(t, free(t))
	a := c.startAsker(t, p.address)
	a.ask(t, p.gateway())
	before := a.connection(p.address)
	const renewals, each = 3, 2000
	var last uint64 = 1
	for range renewals {
		c.make(t, asMember(1), 0)
		c.make(t, asClient(certificate.Client), 0)
		for shown := a.connection(p.address); a.connection(p.address) == shown; {
			a.all(t, p, &last, 100)
		}
		a.all(t, p, &last, each)
	}
	if a.connection(p.address) == before {
		t.Error("no connection was made anew")
	}
}

// connection is the newest connection to an address.
func (a *asker) connection(address string) *held {
	h := a.transport.shakes
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dialed[address]
}

// all asks once for each of some numbers, and fails where one is not answered.
func (a *asker) all(t *testing.T, p *peer, last *uint64, count int) {
	t.Helper()
	waiting := make(map[uint64]bool)
	for range count {
		*last++
		waiting[*last] = true
		a.system.Root.RequestWithCustomSender(p.gateway(), &messages.AppendRequest{Request: *last, Writer: answered}, a.inbox)
	}
	for len(waiting) > 0 {
		delete(waiting, await(t, a.answers, strconv.Itoa(len(waiting))+" answers"))
	}
}

func TestAConnectionEndsWithTheOthersCertificate(t *testing.T) {
	if !alone(t) {
		return
	}
	c := newCerts(t)
	p := c.startPeer(t, free(t))
	const left = 3 * time.Second
	s := startStream(t, pretender(t, p.address, c.make(t, asMember(2), 24*time.Hour-left)))
	ended := make(chan error, 1)
	go func() {
		for {
			if err := s.Send(hello(t, 2, 22)); err != nil {
				_, err = s.Recv()
				ended <- err
				return
			}
			<-time.After(20 * time.Millisecond)
		}
	}()
	await(t, p.heard, "the peer to hear while the certificate is valid")
	if err := await(t, ended, "the end of the stream"); err == nil {
		t.Error("the stream goes on")
	}
}

func TestPlainTextStaysOnTheLoopback(t *testing.T) {
	for _, r := range []struct {
		s       Security
		address string
		says    string
	}{
		{Security{}, "127.0.0.1:7101", ""},
		{Security{}, "127.9.9.9:7101", ""},
		{Security{}, "[::1]:7101", ""},
		{Security{}, "localhost:7101", ""},
		{Security{}, "10.0.0.1:7101", "quorumlog cert"},
		{Security{}, "10.0.0.1:7101", "--insecure"},
		{Security{}, ":7101", "--insecure"},
		{Security{}, "0.0.0.0:7101", "--insecure"},
		{Security{}, "localhost.example.com:7101", "--insecure"},
		{Security{Insecure: true}, "10.0.0.1:7101", ""},
		{Security{CA: "a", Certificate: "b", Key: "c"}, "10.0.0.1:7101", ""},
		{Security{CA: "a", Certificate: "b", Key: "c", Insecure: true}, "127.0.0.1:7101", "choose one"},
		{Security{CA: "a"}, "127.0.0.1:7101", "three files"},
		{Security{Certificate: "b", Key: "c"}, "10.0.0.1:7101", "three files"},
	} {
		err := r.s.Validate("127.0.0.1:1", r.address)
		if (err == nil) != (r.says == "") || err != nil && !strings.Contains(err.Error(), r.says) {
			t.Errorf("%+v at %s: %v", r.s, r.address, err)
		}
		c := Config{ID: 1, Data: "d", Members: []Member{{1, "127.0.0.1:1"}}, Listen: r.address, Security: r.s}
		if err := c.Validate(); (err == nil) != (r.says == "") {
			t.Errorf("a member that listens on %s: %v", r.address, err)
		}
	}
}

func TestAProcessShowsItsOwnCertificateOnly(t *testing.T) {
	c := newCerts(t)
	members := []Member{{1, "127.0.0.1:7101"}}
	other := Config{ID: 1, Cluster: "green", Members: members, Security: c.make(t, asMember(1), 0)}
	for name, err := range map[string]error{
		"another member's":  opened(Config{ID: 1, Cluster: testCluster, Members: members, Security: c.make(t, asMember(2), 0)}),
		"a client's":        opened(Config{ID: 1, Cluster: testCluster, Members: members, Security: c.make(t, asClient(certificate.Client), 0)}),
		"another cluster's": opened(other),
		"an expired one":    opened(Config{ID: 1, Cluster: testCluster, Members: members, Security: c.make(t, asMember(1), 48*time.Hour)}),
		"no file":           opened(Config{ID: 1, Members: members, Security: Security{filepath.Join(c.dir, "x"), "x", "x", false}}),
	} {
		if !errors.Is(err, ErrDenied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	restored := Config{ID: 1, Cluster: testCluster + "@0badcafe", Members: members, Security: c.make(t, asMember(1), 0)}
	if err := opened(restored); err != nil {
		t.Errorf("a restored log: %v", err)
	}
	if _, err := c.make(t, asMember(1), 0).openAsClient(members, zerolog.Nop()); !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "quorumlog cert client") {
		t.Errorf("a client shows a member's: %v", err)
	}
	if _, err := c.make(t, asClient(certificate.Reader), 0).openAsClient(members, zerolog.Nop()); err != nil {
		t.Error(err)
	}
}

func opened(c Config) error {
	_, err := c.openFor(c.Members[0])
	return err
}
