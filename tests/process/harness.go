// Package process runs the program as people do: real processes, real disks, real sockets, on this machine.
//
//	c := process.New(t, 3)
//	c.StartMember(1); c.StartMember(2); c.StartMember(3)
//	c.WaitVoting(1, 2, 3)
//	c.Run("append", "-") ...
//
// NewNetworked gives every member a host of its own instead, and lines between them that can be cut, delayed and made bad.
// Where the system lets them, the tests run in namespaces of their own, of which the machine sees nothing (see apart_linux.go).
//
// Whatever a test starts ends with it.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds whatever a test waits for. It is long because a busy machine is no fault.
const patience = 60 * time.Second

// program is the program, built once for all tests.
type program struct {
	once sync.Once
	dir  string
	err  error
}

var built = &program{}

// Build builds the program at the first call, and returns its path.
func Build(t testing.TB) string {
	t.Helper()
	path, err := built.make()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// make builds the program once, where nobody has built it before.
func (p *program) make() (string, error) {
	if path := os.Getenv(programVariable); path != "" {
		return path, nil
	}
	p.once.Do(func() {
		if p.dir, p.err = os.MkdirTemp("", "quorumlog"); p.err != nil {
			return
		}
		command := exec.Command("go", "build", "-buildvcs=false", "-o", p.path(), "github.com/quorumlog/quorumlog/cmd/quorumlog")
		if out, err := command.CombinedOutput(); err != nil {
			p.err = fmt.Errorf("build the program: %w: %s", err, out)
		}
	})
	return p.path(), p.err
}

func (p *program) path() string { return filepath.Join(p.dir, "quorumlog") }

// RemoveBuilt removes what Build made. TestMain calls it at the end.
func RemoveBuilt() error {
	if built.dir == "" {
		return nil
	}
	return os.RemoveAll(built.dir)
}

// FreePorts returns loopback addresses whose ports nobody uses at the moment, all different. They are below the ports that
// systems give to whoever asks for any: such a port could be gone before the member listens on it.
func FreePorts(t testing.TB, n int) []string {
	t.Helper()
	const lowest, highest = 10_000, 32_000
	var addresses []string
	for tries := 0; len(addresses) < n; tries++ {
		address := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(highest-lowest))
		listener, err := net.Listen("tcp", address)
		if err == nil {
			defer listener.Close() //nolint:errcheck // at the end of the function, so that no port is given twice
			addresses = append(addresses, address)
		} else if tries > 1000 {
			t.Fatalf("no free port: %v", err)
		}
	}
	return addresses
}

// Cluster is the members of a log, in processes of their own, and their disks.
type Cluster struct {
	Members   string   // as --members takes it
	Addresses []string // of member 1, 2, ...
	Dir       string   // of the data directories
	Network   Network  // nil: the loopback
	certs     string   // the directory of certificates; empty: there are none
	t         testing.TB
	binary    string
	ids       []int          // of the members, in order
	lists     map[int]string // the --members of each member, as whoever runs it wrote it down; nil: everybody's is Members
	running   map[int]*Process
	started   func(id int, p *Process) // is told of every process of a member; nil: nobody is
	logs      string                   // where the logs of members are kept after a failure; empty: the test shows them
}

// New makes a cluster of n members with the ids 1 to n. None is started.
func New(t testing.TB, n int) *Cluster {
	t.Helper()
	c := &Cluster{t: t, binary: Build(t), Dir: t.TempDir(), Addresses: FreePorts(t, n), running: make(map[int]*Process)}
	c.list()
	return c
}

// list has the members be those at the addresses, with the ids 1 to n.
func (c *Cluster) list() {
	members := make([]string, len(c.Addresses))
	for i, address := range c.Addresses {
		members[i] = fmt.Sprintf("%d=%s", i+1, address)
		c.ids = append(c.ids, i+1)
	}
	c.Members = strings.Join(members, ",")
}

// Data is the data directory of a member.
func (c *Cluster) Data(id int) string { return filepath.Join(c.Dir, fmt.Sprint(id)) }

// StartMember starts a member, with more flags if there are any. It may have to wait until it votes: see WaitVoting.
func (c *Cluster) StartMember(id int, flags ...string) *Process {
	c.t.Helper()
	if list, own := c.lists[id]; own {
		flags = append(flags, "--members", list)
	}
	launch := (*exec.Cmd).Start
	if c.Network != nil {
		flags = append(flags, c.Network.Flags(id)...)
		launch = func(command *exec.Cmd) error { return c.Network.Launch(id, command) }
	}
	flags = append(c.shows(fmt.Sprintf("member-%d", id)), flags...)
	p := c.launch(launch, nil, append([]string{"serve", "--id", fmt.Sprint(id), "--data", c.Data(id)}, flags...))
	c.running[id] = p
	if c.started != nil {
		c.started(id, p)
	}
	return p
}

// StartAll starts all members, and waits until they vote.
func (c *Cluster) StartAll() {
	c.t.Helper()
	for _, id := range c.ids {
		c.StartMember(id)
	}
	c.WaitVoting(c.ids...)
}

// Kill ends a member with SIGKILL, and returns once it is gone.
func (c *Cluster) Kill(id int) {
	c.t.Helper()
	c.running[id].Kill()
	delete(c.running, id)
}

// Stop ends a member with SIGTERM, and returns its exit code.
func (c *Cluster) Stop(id int) int {
	c.t.Helper()
	p := c.running[id]
	delete(c.running, id)
	p.Terminate()
	return p.Wait()
}

// Wipe deletes the data directory of a member that does not run. It is started with the members of now then.
func (c *Cluster) Wipe(id int) {
	c.t.Helper()
	if _, runs := c.running[id]; runs {
		c.t.Fatalf("member %d runs: end it before its disk is wiped", id)
	}
	if c.lists != nil {
		c.lists[id] = c.Members
	}
	if err := os.RemoveAll(c.Data(id)); err != nil {
		c.t.Fatal(err)
	}
}

// rollBack puts another directory in the place of that of a member that does not run.
func (c *Cluster) rollBack(id int, other string) {
	c.t.Helper()
	c.Wipe(id)
	if err := os.Rename(other, c.Data(id)); err != nil {
		c.t.Fatal(err)
	}
}

// Process is a process of the program.
type Process struct {
	Stdout, Stderr *Output
	t              testing.TB
	command        *exec.Cmd
	ended          chan struct{} // closed once it has ended
}

// Start starts the program with the cluster's members in its environment.
func (c *Cluster) Start(args ...string) *Process {
	c.t.Helper()
	return c.start(nil, args...)
}

func (c *Cluster) start(stdin io.Reader, args ...string) *Process {
	c.t.Helper()
	return c.launch((*exec.Cmd).Start, stdin, args)
}

func (c *Cluster) launch(start func(*exec.Cmd) error, stdin io.Reader, args []string) *Process {
	c.t.Helper()
	command := exec.Command(c.binary, args...)
	command.Stdin = stdin
	command.Env = environment("QUORUMLOG_MEMBERS="+c.Members, fmt.Sprintf("QUORUMLOG_INSECURE=%t", c.Network != nil))
	if c.certs != "" && args[0] != "serve" {
		command.Env = append(command.Env, c.showsByDefault()...)
	}
	p := launch(c.t, command, start)
	c.t.Cleanup(func() {
		p.Kill() // or it could go on while it is shown
		if c.t.Failed() && args[0] == "serve" {
			c.show(p, args)
		}
	})
	return p
}

// show shows what a member has said, or keeps it.
func (c *Cluster) show(p *Process, args []string) {
	c.t.Helper()
	if c.logs == "" {
		c.t.Logf("stderr of quorumlog %s:\n%s", strings.Join(args, " "), p.Stderr)
		return
	}
	name := filepath.Join(c.logs, fmt.Sprintf("member-%s-process-%d.log", args[2], p.ID()))
	if err := os.WriteFile(name, []byte(p.Stderr.String()), 0o600); err != nil {
		c.t.Error(err)
	}
}

// environment is that of this process, without what it says about quorumlog.
func environment(more ...string) []string {
	var clean []string
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "QUORUMLOG_") {
			clean = append(clean, setting)
		}
	}
	return append(clean, more...)
}

// Terminate asks the process to end.
func (p *Process) Terminate() {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
}

// ID is the process id.
func (p *Process) ID() int { return p.command.Process.Pid }

// Signal sends a signal, if the process still runs.
func (p *Process) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("signal process %d: %v", p.ID(), err)
	}
}

// Kill ends the process without warning, and returns once it is gone.
func (p *Process) Kill() {
	p.t.Helper()
	p.Signal(os.Kill)
	<-p.ended
}

// awaitStopped waits until a process that was sent SIGSTOP stands still.
func (p *Process) awaitStopped() {
	p.t.Helper()
	Eventually(p.t, "the process stands still", func() (bool, string) { return p.stands(), "it runs" })
}

// stands says whether a process stands still, as far as this system can tell.
func (p *Process) stands() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.ID()))
	if errors.Is(err, os.ErrNotExist) {
		return true // nobody can tell, on this system
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "T")
}

// Wait waits for the end and returns the exit code; -1 if a signal was the end.
func (p *Process) Wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("process %d (%s) has not ended after %v; its stderr:\n%s", p.ID(), p.command, patience, p.Stderr)
	}
	return p.command.ProcessState.ExitCode()
}

// HasEnded says whether the process is gone.
func (p *Process) HasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Ended is closed once the process is gone.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Output is what a process has written so far.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// String returns it.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Result is what a command has left.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// Run runs a command to its end.
func (c *Cluster) Run(args ...string) Result {
	c.t.Helper()
	return c.RunWith("", args...)
}

// RunWith runs a command to its end with this on stdin.
func (c *Cluster) RunWith(stdin string, args ...string) Result {
	c.t.Helper()
	p := c.start(strings.NewReader(stdin), args...)
	code := p.Wait()
	return Result{code, p.Stdout.String(), p.Stderr.String()}
}

// Eventually asks again until it is so, and ends the test with what was seen last if that takes too long.
func Eventually(t testing.TB, what string, is func() (yes bool, seen string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		yes, seen := is()
		if yes {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("%s: not after %v; last seen:\n%s", what, patience, seen)
		}
	}
}
