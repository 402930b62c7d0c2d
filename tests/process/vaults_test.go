package process

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/actors/actortest/history/journals"
)

// vaults are processes that keep actors, and what they were told.
type vaults struct {
	t       *testing.T
	dir     string
	members string
	began   time.Time
	running map[int]*ordered

	mu      sync.Mutex
	history journals.History
	events  int
}

// ordered is a process of a vault, and those who wait for its words.
type ordered struct {
	*Process
	in      *json.Encoder
	mu      sync.Mutex
	number  int
	waiting map[int]chan word
}

func newVaults(t *testing.T, n int) *vaults {
	t.Helper()
	v := &vaults{t: t, dir: t.TempDir(), began: time.Now(), running: map[int]*ordered{}}
	var list []string
	for i, address := range FreePorts(t, n) {
		list = append(list, fmt.Sprintf("%d=%s", i+1, address))
	}
	v.members = strings.Join(list, ",")
	for id := range n {
		v.start(id + 1)
	}
	for id := range n {
		v.ready(id + 1)
	}
	return v
}

// start starts a process: it is there once it is ready.
func (v *vaults) start(id int) {
	v.t.Helper()
	own, err := os.Executable()
	if err != nil {
		v.t.Fatal(err)
	}
	command := exec.Command(own)
	command.Env = environment(fmt.Sprintf("%s=%d %s %s", vaultVariable, id, v.data(id), v.members))
	in, err := command.StdinPipe()
	if err != nil {
		v.t.Fatal(err)
	}
	words, out := io.Pipe()
	o := &ordered{in: json.NewEncoder(in), waiting: map[int]chan word{0: make(chan word, 1)}}
	o.Process = launch(v.t, command, func(c *exec.Cmd) error {
		c.Stdout = out
		return c.Start()
	})
	go func() {
		<-o.Ended()
		_ = out.Close() // it never fails
	}()
	go o.listen(words)
	v.running[id] = o
	v.t.Cleanup(func() {
		if v.t.Failed() {
			v.t.Logf("stderr of vault %d:\n%s", id, o.Stderr)
		}
	})
}

// listen hands out what the process says. Its end is heard by all who wait.
func (o *ordered) listen(words io.Reader) {
	for all := json.NewDecoder(words); ; {
		var w word
		err := all.Decode(&w)
		o.mu.Lock()
		if err != nil {
			for _, waits := range o.waiting {
				close(waits)
			}
			o.waiting = nil
			o.mu.Unlock()
			return
		}
		if waits := o.waiting[w.Number]; waits != nil {
			waits <- w
			delete(o.waiting, w.Number)
		}
		o.mu.Unlock()
	}
}

// ask orders something, and waits. It says false where the process ended before it answered.
func (o *ordered) ask(what order) (word, bool) {
	o.mu.Lock()
	if o.waiting == nil {
		o.mu.Unlock()
		return word{}, false
	}
	o.number++
	what.Number = o.number
	waits := make(chan word, 1)
	o.waiting[what.Number] = waits
	err := o.in.Encode(what)
	o.mu.Unlock()
	if err != nil {
		return word{}, false // it was not heard as a whole, and nothing is done
	}
	w, heard := <-waits
	return w, heard
}

// ready waits until the process votes, and keeps actors.
func (v *vaults) ready(id int) {
	v.t.Helper()
	o := v.running[id]
	o.mu.Lock()
	waits := o.waiting[0]
	o.mu.Unlock()
	if waits == nil {
		return // it has said so
	}
	select {
	case _, there := <-waits:
		if !there {
			v.t.Fatalf("vault %d has ended:\n%s", id, o.Stderr)
		}
	case <-time.After(patience):
		v.t.Fatalf("vault %d is not there after %v:\n%s", id, patience, o.Stderr)
	}
}

func (v *vaults) data(id int) string { return filepath.Join(v.dir, fmt.Sprint(id)) }

// lose ends a process with SIGKILL, and wipes its disk.
func (v *vaults) lose(id int) {
	v.t.Helper()
	v.running[id].Kill()
	if err := os.RemoveAll(v.data(id)); err != nil {
		v.t.Fatal(err)
	}
}

func (v *vaults) now() time.Duration { return time.Since(v.began) }

// activate has an actor activated in a process, and says what it was refused with, if it was.
func (v *vaults) activate(id int, owner string) (journals.Activation, error) {
	a := journals.Activation{Owner: owner, Call: v.now()}
	w, heard := v.running[id].ask(order{Do: "activate", Owner: owner})
	switch {
	case !heard:
		return a, fmt.Errorf("vault %d has ended", id)
	case w.Error != "":
		return a, fmt.Errorf("vault %d: %s", id, w.Error)
	}
	a.At, a.Replay, a.Return = w.Activation, w.Replay, v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.history.Activations = append(v.history.Activations, a)
	return a, nil
}

// write adds an event under an activation.
func (v *vaults) write(id int, a journals.Activation) word {
	v.mu.Lock()
	v.events++
	event := fmt.Sprint("event-", v.events)
	at := len(v.history.Writes)
	v.history.Writes = append(v.history.Writes, journals.Write{
		Owner: a.Owner, Activation: a.At, Events: []string{event}, Call: v.now(), Return: history.Never, Outcome: history.Unknown,
	})
	v.mu.Unlock()
	said, heard := v.running[id].ask(order{Do: "write", Owner: a.Owner, Event: event})
	if !heard {
		said.Error = "the process has ended"
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	w := &v.history.Writes[at]
	w.Return = v.now()
	switch {
	case said.Error == "":
		w.Outcome, w.Index = history.Succeeded, said.Index
	case said.Sure:
		w.Outcome = history.Rejected
	}
	return said
}

// check holds what everybody was told against what is promised, once every actor is activated again.
func (v *vaults) check() {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := history.Join(v.history.Check()); err != nil {
		v.t.Error(err)
	}
	count := map[history.Outcome]int{}
	for _, w := range v.history.Writes {
		count[w.Outcome]++
	}
	v.t.Logf("%d activations, and of %d events %d acknowledged, %d refused, %d of unknown outcome", len(v.history.Activations), len(v.history.Writes),
		count[history.Succeeded], count[history.Rejected], count[history.Unknown])
}
