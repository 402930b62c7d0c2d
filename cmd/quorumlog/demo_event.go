package main

import (
	"time"

	"github.com/quorumlog/quorumlog/log"
)

// demoEvent is what happened in the demo: one of the types below. Their JSON is a contract: a line each, with the event's
// name first. Times are seconds, latencies milliseconds, sizes bytes.
//
//sumtype:decl
type demoEvent interface{ name() string }

type (
	// demoBegan: the demo begins.
	demoBegan struct {
		Seed       uint64 `json:"seed,omitempty"` // of the entries, unless they come from a file
		Entries    int    `json:"entries"`
		EntryBytes int    `json:"entry_bytes"` // of the largest
		Directory  string `json:"directory"`
		Members    string `json:"members"` // as --members takes them
	}
	// demoStarted: a replica's process runs.
	demoStarted struct {
		Replica log.ReplicaID `json:"replica"`
		Process int           `json:"process"`
	}
	// demoStatus: a replica has another status, or says which one it comes back with.
	demoStatus struct {
		Replica log.ReplicaID `json:"replica"`
		From    string        `json:"from,omitempty"`
		To      string        `json:"to"`
		Seconds float64       `json:"seconds"` // since its process was started
	}
	// demoInitialized: all replicas vote.
	demoInitialized struct {
		Seconds float64 `json:"seconds"`
	}
	// demoProgress: how far long work is.
	demoProgress struct {
		Step    string        `json:"step"` // append, recover or verify
		Unit    string        `json:"unit"` // entries or positions
		Done    uint64        `json:"done"`
		Total   uint64        `json:"total"`
		Bytes   uint64        `json:"bytes,omitempty"`
		Elapsed float64       `json:"elapsed_seconds"`
		Left    float64       `json:"remaining_seconds"`
		elapsed time.Duration // of the work itself
	}
	// demoAppended: entries were appended, all of them acknowledged.
	demoAppended struct {
		Entries int           `json:"entries"`
		Bytes   uint64        `json:"bytes"`
		Writer  log.ReplicaID `json:"writer"`
		Away    log.ReplicaID `json:"away,omitempty"` // the replica that was down meanwhile
		Last    log.Position  `json:"last"`           // the highest position of them
		Seconds float64       `json:"seconds"`
		Rate    float64       `json:"entries_per_second"`
		P50     float64       `json:"p50_milliseconds"`
		P99     float64       `json:"p99_milliseconds"`
	}
	// demoKilled: a replica's process was ended with SIGKILL.
	demoKilled struct {
		Replica log.ReplicaID `json:"replica"`
		Process int           `json:"process"`
		Needed  log.ReplicaID `json:"needed,omitempty"` // the rebuilt replica, without which there is no quorum now
	}
	// demoDeleted: a replica's directory was deleted.
	demoDeleted struct {
		Replica   log.ReplicaID `json:"replica"`
		Directory string        `json:"directory"`
	}
	// demoRecovered: a replica that had lost its disk votes again.
	demoRecovered struct {
		Replica     log.ReplicaID `json:"replica"`
		Positions   uint64        `json:"positions"` // that it copied
		Bytes       uint64        `json:"bytes"`
		CopySeconds float64       `json:"copy_seconds"`
		Seconds     float64       `json:"seconds"` // since its process was started
	}
	// demoElected: a writer was elected.
	demoElected struct {
		Replica log.ReplicaID `json:"replica"`
		Fence   string        `json:"fence"`
	}
	// demoFenced: the append of a writer was refused, because another one was elected.
	demoFenced struct {
		Replica log.ReplicaID `json:"replica"` // of the writer that was fenced
		By      log.ReplicaID `json:"by"`
		Error   string        `json:"error"`
	}
	// demoReturned: a replica that was killed votes again, with its own disk.
	demoReturned struct {
		Replica log.ReplicaID `json:"replica"`
		Seconds float64       `json:"seconds"` // since its process was started
	}
	// demoVerified: a replica holds every acknowledged entry, and nothing else.
	demoVerified struct {
		Replica   log.ReplicaID `json:"replica"`
		Status    string        `json:"status"`
		Processes int           `json:"processes"` // how many it has had
		Entries   int           `json:"entries"`
		Learned   log.Position  `json:"learned"`
		Holes     uint64        `json:"holes"`
		SHA256    string        `json:"sha256"` // of all positions and entries
	}
	// demoFailed: what is wrong.
	demoFailed struct {
		Error string `json:"error"`
		Seed  uint64 `json:"seed,omitempty"`
	}
	// demoKept: where the directories are that were kept.
	demoKept struct {
		Directory string `json:"directory"`
	}
	// demoFinished: all is as it should be.
	demoFinished struct {
		OK      bool    `json:"ok"`
		Entries int     `json:"entries"` // that were acknowledged
		Seconds float64 `json:"seconds"`
	}
)

func (demoBegan) name() string       { return "began" }
func (demoStarted) name() string     { return "started" }
func (demoStatus) name() string      { return "status" }
func (demoInitialized) name() string { return "initialized" }
func (demoProgress) name() string    { return "progress" }
func (demoAppended) name() string    { return "appended" }
func (demoKilled) name() string      { return "killed" }
func (demoDeleted) name() string     { return "deleted" }
func (demoRecovered) name() string   { return "recovered" }
func (demoElected) name() string     { return "elected" }
func (demoFenced) name() string      { return "fenced" }
func (demoReturned) name() string    { return "returned" }
func (demoVerified) name() string    { return "verified" }
func (demoFailed) name() string      { return "failed" }
func (demoKept) name() string        { return "kept" }
func (demoFinished) name() string    { return "finished" }

// newDemoProgress says how far work is that began a while ago.
func newDemoProgress(step, unit string, done, total uint64, elapsed time.Duration) demoProgress {
	p := demoProgress{Step: step, Unit: unit, Done: done, Total: total, Elapsed: seconds(elapsed), elapsed: elapsed}
	if done > 0 && total > done {
		p.Left = seconds(time.Duration(float64(elapsed) * float64(total-done) / float64(done)))
	}
	return p
}

// seconds keeps milliseconds: more is noise.
func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// milliseconds keeps hundredths.
func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()/10) / 100
}
