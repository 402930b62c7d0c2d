package foreign

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"

	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/process"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := process.RemoveBuilt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// The process that talks to the members is one of its own: a second remote in a process shares globals with the first.
const (
	members = "QUORUMLOG_TEST_FOREIGN"       // their addresses
	secrets = "QUORUMLOG_TEST_FOREIGN_CERTS" // the directory of certificates, if there are any
)

// apart runs the test's other half in a process of its own, which it returns.
func apart(t *testing.T, c *process.Cluster, environment ...string) *process.Process {
	t.Helper()
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=120s")
	command.Env = append(append(os.Environ(), members+"="+strings.Join(c.Addresses, ",")), environment...)
	return process.Launch(t, command)
}

// finish waits until a process of apart has passed.
func finish(t *testing.T, p *process.Process) {
	t.Helper()
	if code := p.Wait(); code != 0 || !strings.Contains(p.Stdout.String(), "--- PASS: "+t.Name()) {
		t.Fatalf("it ended with %d:\n%s%s", code, p.Stdout, p.Stderr)
	}
}

// program is what the process has that talks to the members.
type program struct {
	*testing.T
	ctx      context.Context //nolint:containedctx // of the whole test
	system   *actor.ActorSystem
	gateways []*actor.PID
	appender *Appender
}

// here returns what the process of a test has; nil in the one that runs the members.
func here(t *testing.T) *program {
	addresses := os.Getenv(members)
	if addresses == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	var options []remote.ConfigOption
	if dir := os.Getenv(secrets); dir != "" {
		var err error
		options, err = Secured("quorumlog", filepath.Join(dir, "ca.crt"), filepath.Join(dir, "client-test.crt"), filepath.Join(dir, "client-test.key"))
		if err != nil {
			t.Fatal(err)
		}
	}
	p := &program{T: t, ctx: ctx, system: Start("127.0.0.1", options...)}
	p.appender = &Appender{System: p.system, Members: make(map[uint32]*actor.PID), Writer: 1}
	for i, address := range strings.Split(addresses, ",") {
		p.gateways = append(p.gateways, Gateway(address))
		p.appender.Members[uint32(i+1)] = Gateway(address)
	}
	return p
}

// append appends entries, and returns their positions.
func (p *program) append(entries ...string) (at []uint64) {
	p.Helper()
	for _, e := range entries {
		position, err := p.appender.Append(p.ctx, []byte(e))
		if err != nil {
			p.Fatalf("append %s: %v", e, err)
		}
		at = append(at, position)
	}
	return at
}

func numbered(prefix string, n int) (entries []string) {
	for i := range n {
		entries = append(entries, fmt.Sprint(prefix, i))
	}
	return entries
}

// asked is an answer that must come.
func asked[A answer](p *program, to *actor.PID, request answer) A {
	p.Helper()
	a, err := Ask[A](p.system, to, request, 10*time.Second)
	if err != nil {
		p.Fatal(err)
	}
	return a
}

// read are the entries that a member has from a position on.
func (p *program) read(gateway *actor.PID, from uint64) (entries []string) {
	p.Helper()
	all, err := Read(p.system, gateway, from)
	if err != nil {
		p.Fatal(err)
	}
	for _, e := range all {
		entries = append(entries, string(e))
	}
	return entries
}

func TestAStockRemoteServesAllThatThereIs(t *testing.T) {
	p := here(t)
	if p == nil {
		c := process.New(t, 3)
		c.StartAll()
		finish(t, apart(t, c))
		return
	}
	everything(p)
}

func TestAStockRemoteIsServedWithCertificates(t *testing.T) {
	p := here(t)
	if p == nil {
		c := process.NewSecure(t, 3)
		c.StartAll()
		finish(t, apart(t, c, secrets+"="+filepath.Join(c.Dir, "certs")))
		return
	}
	everything(p)
}

// everything is asked of members as docs/messages.md says.
func everything(p *program) {
	elected := asked[*messages.ElectResponse](p, p.gateways[1], &messages.ElectRequest{Request: rand.Uint64()})
	if elected.GetElected().GetWriter() == 0 {
		p.Fatalf("elect: %v", elected)
	}
	want := numbered("entry ", 20)
	at := p.append(want...)
	again := asked[*messages.AppendResponse](p, p.appender.Members[p.appender.Writer], &messages.AppendRequest{
		Request: 5, Entries: [][]byte{[]byte(want[19])}, Session: p.appender.session, Sequence: p.appender.next - 1})
	if again.GetRange().GetFirst() != at[19] {
		p.Errorf("an entry that is at %d, appended once more under its number: %v", at[19], again)
	}
	for _, g := range p.gateways {
		if got := p.read(g, 1); !slices.Equal(got, want) {
			p.Errorf("%s has %q", g.GetAddress(), got)
		}
	}
	var failed Failed
	if _, err := p.appender.Append(p.ctx, make([]byte, 1<<20+1)); !errors.As(err, &failed) || failed.GetCode() != messages.Code_CODE_TOO_LARGE {
		p.Errorf("an entry of more than 1 MiB: %v", err)
	}
	writer := p.appender.Members[p.appender.Writer]
	cut := asked[*messages.TruncateResponse](p, writer, &messages.TruncateRequest{Request: 6, To: at[9]})
	if cut.GetPosition() <= at[19] {
		p.Errorf("truncate: %v", cut)
	}
	if got := p.read(writer, at[9]); !slices.Equal(got, want[9:]) {
		p.Errorf("truncated, it has %q", got)
	}
	if _, err := Read(p.system, writer, 1); !errors.As(err, &failed) || failed.GetBegin() != at[9] {
		p.Errorf("read what is gone: %v", err)
	}
	looks(p, at)
}

// looks asks how members are.
func looks(p *program, at []uint64) {
	for i, g := range p.gateways {
		if s := asked[*messages.StatusResponse](p, g, &messages.StatusRequest{Request: 7}); s.GetReplica() != uint32(i+1) || s.GetStatus() != messages.Status_STATUS_VOTING {
			p.Errorf("status: %v", s)
		}
		if m := asked[*messages.MembersResponse](p, g, &messages.MembersRequest{Request: 8}); len(m.GetConfiguration().GetMembers()) != 3 {
			p.Errorf("members: %v", m)
		}
		if e := asked[*messages.EventsResponse](p, g, &messages.EventsRequest{Request: 9}); len(e.GetEvents()) == 0 {
			p.Errorf("events: %v", e)
		}
		d := asked[*messages.DigestResponse](p, g, &messages.DigestRequest{Request: 10, Range: &messages.Range{First: at[10], Last: at[15]}})
		if len(d.GetDigest().GetSha256()) != 32 {
			p.Errorf("digest: %v", d)
		}
	}
}

// followed runs a follower, and returns what it is delivered.
func (p *program) followed(f *Follower) (entries <-chan string) {
	all := make(chan string, 1<<12)
	f.Gateways = p.gateways
	f.Handle = func(entries []*messages.Entry) {
		for _, e := range entries {
			all <- string(e.GetData())
		}
	}
	p.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return f }))
	return all
}

// expect waits for entries, and wants no others before.
func (p *program) expect(entries <-chan string, want ...string) {
	p.Helper()
	for _, w := range want {
		select {
		case got := <-entries:
			if got != w {
				p.Fatalf("delivered %q, want %q", got, w)
			}
		case <-p.ctx.Done():
			p.Fatalf("waited for %q: %v", w, p.ctx.Err())
		}
	}
}

func TestAFollowerGoesOnWhereItsMemberIsKilled(t *testing.T) {
	p := here(t)
	if p == nil {
		c := process.New(t, 3)
		c.StartAll()
		f := apart(t, c)
		process.Eventually(t, "it follows member 1", func() (bool, string) {
			out := f.Stdout.String()
			return strings.Contains(out, "kill member 1"), out
		})
		c.Kill(1)
		finish(t, f)
		return
	}
	p.appender.Writer = 2
	want := p.append(numbered("before ", 20)...)
	entries := p.followed(&Follower{Next: 1})
	p.expect(entries, numbered("before ", 20)...)
	fmt.Println("kill member 1")
	for _, e := range numbered("meanwhile ", 200) {
		want = append(want, p.append(e)...)
		p.expect(entries, e)
		select {
		case <-time.After(20 * time.Millisecond):
		case <-p.ctx.Done():
		}
	}
	p.append("last")
	p.expect(entries, "last")
}

func TestAFollowerIsToldWhereTheLogBegins(t *testing.T) {
	p := here(t)
	if p == nil {
		c := process.New(t, 1)
		c.StartAll()
		finish(t, apart(t, c))
		return
	}
	at := p.append(numbered("", 20)...)
	asked[*messages.TruncateResponse](p, p.gateways[0], &messages.TruncateRequest{Request: 6, To: at[9]})
	begins := make(chan uint64, 1)
	entries := p.followed(&Follower{Next: 3, Cut: func(begin uint64) uint64 {
		begins <- begin
		return begin
	}})
	p.expect(entries, numbered("", 20)[9:]...)
	if begin := <-begins; begin != at[9] {
		p.Errorf("it is told that the log begins at %d, and it does at %d", begin, at[9])
	}
}

// A member has room for 128. They last 30 s without a word from their subscribers, so what makes room at once is that these are known
// to have ended.
func TestSubscriptionsEndWithSubscribersInAnotherProcess(t *testing.T) {
	p := here(t)
	if p == nil {
		c := process.New(t, 1)
		c.StartAll()
		finish(t, apart(t, c))
		return
	}
	told := make(chan *messages.SubscribeResponse, 1<<10)
	subscribe := func() *actor.PID {
		return p.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				ctx.Request(p.gateways[0], &messages.SubscribeRequest{Request: rand.Uint64()})
			case *messages.SubscribeResponse:
				told <- m
			}
		}))
	}
	var all []*actor.PID
	for range 128 {
		all = append(all, subscribe())
	}
	for range 128 {
		if m := <-told; m.GetFailure() != nil {
			p.Fatal(m)
		}
	}
	all = append(all, subscribe())
	if m := <-told; m.GetFailure().GetCode() != messages.Code_CODE_BUSY {
		p.Fatal(m)
	}
	for _, pid := range all {
		p.system.Root.Poison(pid)
	}
	began := time.Now()
	for {
		subscribe()
		if m := <-told; m.GetFailure() == nil {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("10 s after their subscribers ended, the subscriptions are still there")
		}
	}
	fmt.Println("there was room again after", time.Since(began))
}
