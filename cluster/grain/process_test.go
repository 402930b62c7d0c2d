package grain

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	virtual "github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/cluster/clusterproviders/automanaged"
	"github.com/asynkron/protoactor-go/cluster/identitylookup/disthash"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/labstack/echo/v4"

	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// A second remote in one process shares globals with the first, which the race detector sees. So every test that has one runs in a
// process of its own, and so does every member that it asks.
const (
	aloneVariable = "QUORUMLOG_TEST_ALONE"
	hostVariable  = "QUORUMLOG_TEST_HOST" // the host that this process is
)

// alone runs the test in a process of its own. It returns true there, and false in the process that only reports.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(aloneVariable) != "" {
		return true
	}
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=120s")
	command.Env = append(os.Environ(), aloneVariable+"=1")
	output, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "--- PASS: "+t.Name()) {
		t.Fatalf("%v:\n%s", err, output)
	}
	for line := range strings.Lines(string(output)) {
		if _, said, measured := strings.Cut(line, "measured: "); measured {
			t.Log(strings.TrimSpace(said))
		}
	}
	return false
}

// every is how often hosts are looked for.
const every = 200 * time.Millisecond

// host is a process that is a member of the log and one of protoactor's cluster, as it is told.
type host struct {
	ID    int
	Data  string
	Log   []string // the addresses of the log's members, in the order of their ids
	Hosts []string // where each host says where it is
	Grain []string // the addresses of protoactor's cluster
}

// TestHost is no test, but the process of a host. It prints how long each activation took.
func TestHost(t *testing.T) {
	text := os.Getenv(hostVariable)
	if text == "" {
		t.Skip("only another test starts a host")
	}
	var h host
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		t.Fatal(err)
	}
	members := make([]cluster.Member, len(h.Log))
	for i, address := range h.Log {
		members[i] = cluster.Member{ID: log.ReplicaID(i + 1), Address: address}
	}
	node, err := cluster.Start(t.Context(), cluster.Config{
		ID: log.ReplicaID(h.ID), Data: h.Data, Members: members, AutoInitialize: true, AutoElect: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Recovered(t.Context()); err != nil {
		t.Fatal(err)
	}
	kind, err := Kind(Config{
		Name: "counter", Provider: node.Persist(cluster.PersistenceConfig{SnapshotEvery: 100}).Provider,
		New: func() persistence.Persistent { return &timed{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	join(t, h, kind)
	fmt.Println("ready")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil { // which ends with whoever started it
		t.Fatal(err)
	}
}

// timed is a counter that prints how long it took to be activated.
type timed struct {
	counter
	began time.Time
}

func (c *timed) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		c.began = time.Now()
	case persistence.Recovered:
		fmt.Printf("activated %s\n", time.Since(c.began))
	default:
		c.counter.Receive(ctx)
	}
}

// join has the host be a member of protoactor's cluster, which says so on the loopback only.
func join(t *testing.T, h host, kinds ...*virtual.Kind) {
	t.Helper()
	said, err := net.Listen("tcp", h.Hosts[h.ID-1])
	if err != nil {
		t.Fatal(err)
	}
	own := system()
	server := echo.New()
	server.HideBanner, server.HidePort, server.Listener = true, true, said
	server.GET("/_health", func(c echo.Context) error {
		name, port, err := own.GetHostPort()
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, automanaged.NewNode("grains", own.ID, name, port, 0, []string{"counter"}))
	})
	bound, err := net.ResolveTCPAddr("tcp", h.Grain[h.ID-1])
	if err != nil {
		t.Fatal(err)
	}
	provider := automanaged.NewWithTesting(every, 0, server, h.Hosts...)
	virtual.New(own, virtual.Configure("grains", provider, disthash.New(),
		remote.Configure("127.0.0.1", bound.Port), virtual.WithKinds(kinds...))).StartMember()
}

// running is the process of a host.
type running struct {
	command *exec.Cmd
	lines   chan string // that it prints
}

// launch starts a host, and returns once it is a member of both.
func launch(t *testing.T, h host) *running {
	t.Helper()
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0], "-test.run=^TestHost$", "-test.v", "-test.timeout=120s")
	command.Env = append(os.Environ(), hostVariable+"="+string(text))
	_, err = command.StdinPipe() // closed when this process ends, however it does
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	r := &running{command, make(chan string, 100)}
	t.Cleanup(r.kill)
	go func() {
		defer close(r.lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			r.lines <- scanner.Text()
		}
	}()
	return r
}

// kill ends the process without warning, and returns once it is gone.
func (r *running) kill() {
	_ = r.command.Process.Kill() // it may have ended
	_ = r.command.Wait()         // with that signal
}

// said waits until the host prints a line that begins so, and returns the rest.
func (r *running) said(t *testing.T, what string) string {
	t.Helper()
	var heard []string
	for end := time.After(limit); ; {
		select {
		case line, is := <-r.lines:
			if !is {
				t.Fatalf("the host ended: %s", strings.Join(heard, "\n"))
			}
			if rest, found := strings.CutPrefix(line, what); found {
				return strings.TrimSpace(rest)
			}
			heard = append(heard, line)
		case <-end:
			t.Fatalf("the host did not say %q: %s", what, strings.Join(heard, "\n"))
		}
	}
}
