package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
)

// demoReplica is one replica of the demo: its place, and its process while it has one.
type demoReplica struct {
	cluster.Member
	data, log string
	flags     []string     // of serve, more than all get
	process   *demoProcess // nil while it is away
	processes int          // how many it has had
}

// demoProcess is a running quorumlog serve.
type demoProcess struct {
	command *exec.Cmd
	journal *demoJournal
	started time.Time
	wanted  atomic.Bool   // it is being killed
	ended   chan struct{} // closed when it has ended, and all it said was read
}

// demoParent starts the processes, so that they end with this one, whatever becomes of it.
//
// What the system offers for that binds a process to the thread that starts it. So they are all started by one thread,
// which nobody else uses: it lives as long as this process, or until end.
type demoParent struct {
	commands chan *exec.Cmd
	started  chan error
}

func newDemoParent() *demoParent {
	p := &demoParent{commands: make(chan *exec.Cmd), started: make(chan error)}
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		for command := range p.commands {
			p.started <- command.Start()
		}
	}()
	return p
}

func (p *demoParent) start(command *exec.Cmd) error {
	bindToParent(command)
	p.commands <- command
	return <-p.started
}

func (p *demoParent) end() { close(p.commands) }

// start starts the replica's process. Failed is called if it ends before it is killed.
func (r *demoReplica) start(parent *demoParent, members []cluster.Member, told chan<- demoStatus, failed func(error)) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	journal, err := openDemoJournal(r.log, r.ID, told)
	if err != nil {
		return err
	}
	command := exec.Command(program, "serve", "--id", strconv.Itoa(int(r.ID)), "--members", cluster.FormatMembers(members),
		"--data", r.data, "--cluster", demoCluster(), "--log-format", "json", "--log-level", "info")
	command.Args = append(command.Args, r.flags...)
	command.Env = demoEnvironment()
	command.Stdout, command.Stderr = journal, journal
	p := &demoProcess{command: command, journal: journal, started: journal.began, ended: make(chan struct{})}
	if err := parent.start(command); err != nil {
		return errors.Join(fmt.Errorf("start replica %d: %w", r.ID, err), journal.close())
	}
	r.process = p
	r.processes++
	go p.watch(r.Member, failed)
	return nil
}

// demoCluster is the name of the cluster.
func demoCluster() string { return "quorumlog-demo-" + strconv.Itoa(os.Getpid()) }

// demoEnvironment is the environment without our own settings: the demo's processes take theirs from the command line.
func demoEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, variable("")) })
}

func (p *demoProcess) watch(m cluster.Member, failed func(error)) {
	defer close(p.ended)
	err := errors.Join(p.command.Wait(), p.journal.close())
	if !p.wanted.Load() {
		failed(fmt.Errorf("the process of replica %d at %s ended by itself: %w; it said last:\n%s",
			m.ID, m.Address, cmp.Or(err, errors.New("exit status 0")), p.journal.tail()))
	}
}

// kill ends the process with SIGKILL, and returns once it is gone.
func (r *demoReplica) kill() error {
	p := r.process
	if p == nil {
		return nil
	}
	r.process = nil
	p.wanted.Store(true)
	if err := p.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill replica %d: %w", r.ID, err)
	}
	<-p.ended
	return nil
}

// ask asks the process to end by itself, so that all it knows is on its disk. It is killed if it takes too long.
func (r *demoReplica) ask() error {
	r.process.wanted.Store(true)
	if err := r.process.command.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("end replica %d: %w", r.ID, err)
	}
	select {
	case <-r.process.ended:
	case <-time.After(demoPatience / 3):
	}
	return r.kill()
}

// demoPlace is the directory that the demo works in.
type demoPlace struct {
	dir  string
	made bool // by the demo
}

// newDemoPlace makes the directory. One that is there must be empty: the demo deletes what is in it.
func newDemoPlace(dir string) (*demoPlace, error) {
	if dir == "" {
		temporary, err := os.MkdirTemp("", "quorumlog-demo-")
		if err != nil {
			return nil, fmt.Errorf("make a temporary directory: %w", err)
		}
		return &demoPlace{temporary, true}, nil
	}
	err := os.Mkdir(dir, 0o755)
	switch {
	case err == nil:
		return &demoPlace{dir, true}, nil
	case !errors.Is(err, os.ErrExist):
		return nil, usagef("--dir: %w", err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		return nil, usagef("--dir %s is not an empty directory: give a new one, or an empty one", dir)
	}
	return &demoPlace{dir, false}, nil
}

// replicas are the demo's replicas, on ports of this machine that nobody listens on.
func (p *demoPlace) replicas(ctx context.Context, count int) ([]*demoReplica, error) {
	addresses, err := freeAddresses(ctx, count)
	if err != nil {
		return nil, err
	}
	replicas := make([]*demoReplica, count)
	for i, address := range addresses {
		r := &demoReplica{Member: cluster.Member{ID: demoID(i), Address: address}}
		r.data = filepath.Join(p.dir, fmt.Sprintf("replica-%d", r.ID))
		r.log = r.data + ".log"
		replicas[i] = r
	}
	return replicas, nil
}

// remove removes what the demo made.
func (p *demoPlace) remove() error {
	names, err := os.ReadDir(p.dir)
	for _, name := range names {
		err = errors.Join(err, os.RemoveAll(filepath.Join(p.dir, name.Name())))
	}
	if p.made {
		err = errors.Join(err, os.Remove(p.dir))
	}
	if err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	return nil
}
