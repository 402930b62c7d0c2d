package process

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// What a member may take, whatever is asked of it.
const (
	mostMemory = 512 << 20 // bytes that are resident
	// segment is what a member's disk holds besides its tables: the log of the memtable that is written, those of the ones that
	// are being flushed, and those that are kept to be written into again. Each has a memtable's 16 MiB (log/storage/disk).
	segment   = 64 << 20
	givenBack = time.Minute      // after a truncation, until its bytes are
	settled   = 10 * time.Second // after a member began to vote, its disk is held against what it keeps
	// longestFlooded bounds the time without an acknowledged append while a quorum can talk. It is long, since the flood, the
	// members and whoever looks at them share one machine, and what was accepted waits behind up to 64 MiB.
	longestFlooded = 30 * time.Second
	looks          = 10 // between two measurements of everything
	lookEvery      = time.Second / looks
	mostFiles      = 1200 // that a member has open: 1,000 tables at most (Pebble's MaxOpenFiles), and its connections
	moreOthers     = 64   // open files beside its directory that a member may have more of than when it began, besides half as many again
	moreThread     = 16   // threads, the same
)

// usage is what a process takes at one moment.
type usage struct {
	Memory  int64 `json:"memory"` // bytes that are resident
	Files   int   `json:"files"`  // that it has open, and connections
	Others  int   `json:"others"` // of these, that are not in its directory: connections, and what was removed
	Threads int   `json:"threads"`
}

// most is the largest of everything.
func (u usage) most(o usage) usage {
	return usage{max(u.Memory, o.Memory), max(u.Files, o.Files), max(u.Others, o.Others), max(u.Threads, o.Threads)}
}

// measured is what a process takes now that has its files in a directory; false once it has ended.
func measured(pid int, dir string) (u usage, ok bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, false
	}
	u.Files, u.Others = openFiles(pid, dir)
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		switch n, _ := strconv.ParseInt(fields[0], 10, 64); name { // what is no number is none of these
		case "VmRSS":
			u.Memory = n << 10
		case "Threads":
			u.Threads = int(n)
		}
	}
	return u, u.Memory > 0 // an ended process that nobody has waited for has none
}

// openFiles is how many files a process has open, and how many of these are not in a directory.
func openFiles(pid int, dir string) (all, others int) {
	fds := fmt.Sprintf("/proc/%d/fd", pid)
	files, err := os.ReadDir(fds)
	if err != nil {
		return 0, 0
	}
	for _, f := range files {
		target, err := os.Readlink(filepath.Join(fds, f.Name()))
		if err == nil && (!strings.HasPrefix(target, dir) || strings.HasSuffix(target, " (deleted)")) {
			others++
		}
	}
	return len(files), others
}

// diskUse is what the files of a directory take on the disk. What goes meanwhile does not count.
func diskUse(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // it is gone
		}
		if info, err := e.Info(); err == nil {
			if at, ok := info.Sys().(*syscall.Stat_t); ok {
				bytes += at.Blocks * 512
			}
		}
		return nil
	})
	return bytes
}

// watch looks at the processes of a cluster all the time.
type watch struct {
	t       testing.TB
	dirs    func(id int) string
	account *account

	mu       sync.Mutex
	members  map[int]*life
	voters   [][]int       // that are counted: while they change, those of before and those of after it
	moving   time.Duration // since when the members are being changed; 0: they are not
	moved    time.Duration // the longest without an acknowledgement in a change, until appends went on after it
	live     []int64       // bytes, of every second of the last minute
	talk     time.Duration // since when a quorum can
	gap      time.Duration // the longest without an acknowledgement while one could
	gapEnded time.Duration
	bad      bool  // the lines are: then it is patience that bounds a gap
	idle     bool  // nothing is offered: the load waits for the reader
	told     bool  // that a gap was too long
	most     usage // of any member
	disk     int64 // bytes
	worst    excess
}

// excess is a directory that is large for what it keeps.
type excess struct {
	Disk int64 `json:"disk"` // bytes
	Live int64 `json:"live"` // the most that was kept in the minute before
}

// over is how much the disk has above twice what is live.
func (e excess) over() int64 { return e.Disk - 2*e.Live }

// life is that of a process of a member.
type life struct {
	process *Process
	voted   time.Duration // when that was seen; 0: it was not
	history []usage       // of every second
}

func newWatch(t testing.TB, c *Cluster, a *account) *watch {
	w := &watch{t: t, dirs: c.Data, account: a, members: map[int]*life{}, live: make([]int64, int(givenBack/time.Second))}
	for id, p := range c.running {
		w.started(id, p)
	}
	w.voters = [][]int{slices.Clone(c.ids)}
	c.started = w.started
	return w
}

// started has a new process of a member looked at.
func (w *watch) started(id int, p *Process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.members[id] = &life{process: p}
}

// moves says that the members are being changed, and who is counted before and after it.
func (w *watch) moves(before, after []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.voters, w.moving = [][]int{before, after}, w.account.clock()
}

// settles says that appends go on after a change, and who is counted now.
func (w *watch) settles(voters []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.voters, w.moving = [][]int{voters}, 0
}

// left has a member that is none any more looked at no more.
func (w *watch) left(id int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.members, id)
}

// run goes on until it is over.
func (w *watch) run(over <-chan struct{}) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-over:
			return
		}
		w.look()
		if n%looks == 0 {
			w.measure()
		}
	}
}

// look finds out how long nothing was acknowledged though a quorum could talk.
func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	able, now := make(map[int]bool), w.account.clock()
	for id, m := range w.members {
		able[id] = m.votes(now) && !m.process.stands()
	}
	if !quorate(w.voters, able) || w.bad || w.idle {
		w.talk = now
	}
	if w.moving > 0 {
		w.moved = max(w.moved, w.account.sinceAcknowledged(w.moving))
	}
	gap := w.account.sinceAcknowledged(w.talk)
	if gap > w.gap {
		w.gap, w.gapEnded = gap, now
	}
	if gap > longestFlooded && !w.told {
		w.told = true
		w.t.Errorf("at %v: no append was acknowledged for %v, and a quorum could talk", now, gap)
	}
}

// quorate says whether there is a quorum of the voters, whichever they are.
func quorate(voters [][]int, able map[int]bool) bool {
	return !slices.ContainsFunc(voters, func(ids []int) bool {
		there := slices.DeleteFunc(slices.Clone(ids), func(id int) bool { return !able[id] })
		return len(there) <= len(ids)/2
	})
}

// disturbed says whether all lines are bad.
func (w *watch) disturbed(bad bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bad = bad
}

// offered says whether anything is.
func (w *watch) offered(anything bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = !anything
}

// votes says whether a process has said that its replica does.
func (m *life) votes(now time.Duration) bool {
	if m.voted == 0 && strings.Contains(m.process.Stderr.String(), saysVoting) {
		m.voted = now
	}
	return m.voted > 0 && !m.process.HasEnded()
}

// measure finds out what everybody takes.
func (w *watch) measure() {
	members, judged, live := w.present()
	for id, m := range members {
		used, ok := measured(m.process.ID(), w.dirs(id))
		if !ok || m.process.HasEnded() {
			continue
		}
		w.take(id, m, used)
		if judged[id] {
			w.hold(id, excess{diskUse(w.dirs(id)), live})
		}
	}
}

// present is who runs, whose disk is judged, and the most bytes that were live in the last minute.
func (w *watch) present() (members map[int]*life, judged map[int]bool, live int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	members, judged = maps.Clone(w.members), make(map[int]bool)
	for id, m := range members {
		judged[id] = m.voted > 0 && w.account.clock()-m.voted > settled
	}
	w.live = append(w.live[1:], w.account.live())
	return members, judged, slices.Max(w.live)
}

func (w *watch) take(id int, m *life, used usage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.most = w.most.most(used)
	m.history = append(m.history, used)
	if used.Memory > mostMemory {
		w.t.Errorf("at %v: member %d has %s of memory, at most %s", w.account.clock(), id, mib(used.Memory), mib(mostMemory))
	}
	if used.Files > mostFiles {
		w.t.Errorf("at %v: member %d has %d open files, at most %d", w.account.clock(), id, used.Files, mostFiles)
	}
}

func (w *watch) hold(id int, e excess) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.disk = max(w.disk, e.Disk)
	if w.worst.Disk == 0 || e.over() > w.worst.over() {
		w.worst = e
	}
	if e.over() > segment {
		w.t.Errorf("at %v: member %d has %s on disk, and what it keeps had %s in the minute before: at most twice that and %s",
			w.account.clock(), id, mib(e.Disk), mib(e.Live), mib(segment))
	}
}

// longestMove is the longest time without an acknowledgement in a change of the members.
func (w *watch) longestMove() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.moved
}

// String tells the most that was seen.
func (w *watch) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("the most of a member: %s of memory, %d open files, %d of them not its own, %d threads, %s on disk; the worst disk: %s, where %s was "+
		"live; no append was acknowledged for %s, until %s, though a quorum could talk", mib(w.most.Memory), w.most.Files, w.most.Others,
		w.most.Threads, mib(w.disk), mib(w.worst.Disk), mib(w.worst.Live), ms(w.gap), ms(w.gapEnded))
}

// growth is what the present process of a member took at most in the first third of its life, and in the last.
func (w *watch) growth(id int) (first, last usage, lived time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	history := w.members[id].history
	third := len(history) / 3
	for i, u := range history {
		if i < third {
			first = first.most(u)
		}
		if i >= len(history)-third {
			last = last.most(u)
		}
	}
	return first, last, time.Duration(len(history)) * time.Second
}

// grown says what of a process has grown, that should not have with time.
func grown(first, last usage) error {
	if last.Others > first.Others*3/2+moreOthers || last.Threads > first.Threads*3/2+moreThread {
		return fmt.Errorf("it had at most %d open files beside its directory and %d threads in the first third of its life, and %d "+
			"and %d in the last", first.Others, first.Threads, last.Others, last.Threads)
	}
	return nil
}
