package main

import (
	"errors"
	"fmt"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// verifyOffline looks at one data directory: at all its logs, or at the one that is meant.
func (p *program) verifyOffline() (verdict, error) {
	v := newVerdict()
	engine, err := disk.OpenEngine(p.offline())
	if errors.Is(err, cluster.ErrCorrupt) {
		v.fault(log.Range{}, []log.ReplicaID{}, "%v: %s", err, repairs)
		return v, nil
	}
	if err != nil {
		return v, err
	}
	defer engine.Close() //nolint:errcheck // it was only read
	v.looked = "in this directory; no other replica was looked at"
	names := append([]string{""}, engine.Logs()...)
	if p.log != "" {
		names = []string{string(p.log)}
	}
	for i, name := range names {
		l, err := p.verifyLog(engine, name)
		if err != nil {
			return v, err
		}
		v.join(l, name, i == 0)
	}
	return v, nil
}

// verifyLog looks at one log of a directory.
func (p *program) verifyLog(engine *disk.Engine, name string) (verdict, error) {
	store, err := engine.OpenLog(disk.Log{Name: name})
	if err != nil {
		return verdict{}, err
	}
	defer store.Close() //nolint:errcheck // it was only read
	var bar *progress
	report, err := disk.Check(store, func(done, total uint64) {
		if bar == nil {
			bar = p.progress("check", positionsUnit, total)
		}
		bar.set(done)
	})
	bar.end()
	if err != nil {
		return verdict{}, err
	}
	m := store.Metadata()
	v := newVerdict()
	v.Begin, v.End, v.Positions = report.Begin, report.End, report.Records
	learned := report.Begin - 1
	if run, found := report.Learned.Run(report.Begin); found {
		learned = run.Last
	}
	unlearned := log.Range{First: report.Begin, Last: report.End}.Len() - report.Learned.Len()
	v.Members = append(v.Members, verifiedSide{
		ID: m.Replica, Status: m.Status.String(), Begin: report.Begin, End: report.End, Learned: learned, Holes: unlearned,
	})
	v.judge(report, m.Replica)
	return v, nil
}

// join adds what is found out about a log. Begin and End are those of the first one.
func (v *verdict) join(l verdict, name string, first bool) {
	if first {
		v.Begin, v.End = l.Begin, l.End
	}
	v.Positions += l.Positions
	for _, m := range l.Members {
		m.Log = name
		v.Members = append(v.Members, m)
	}
	for _, f := range l.Faults {
		f.Log = name
		f.Text = ofLog(name) + f.Text
		v.Faults = append(v.Faults, f)
	}
	for _, n := range l.Notes {
		v.note("%s%s", ofLog(name), n)
	}
}

// ofLog begins a sentence about a log that has a name.
func ofLog(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf("log %s: ", name)
}

// repairs is what is done about a directory that is damaged.
const repairs = "start the replica, with --repair=auto: it copies from the others what is damaged, or keeps this directory aside and recovers from them"

// judge says what of a report is a fault. A position that was never learned is none: the replica may have been away.
func (v *verdict) judge(r disk.Report, who log.ReplicaID) {
	members := []log.ReplicaID{who}
	for at := range r.Corrupt.All() {
		v.fault(at, members, "positions %v are damaged", at)
	}
	for at := range r.Missing.Minus(r.Corrupt).All() {
		v.fault(at, members, "positions %v are learned, and have no record", at)
	}
	switch {
	case r.Damage != nil: // the look may have ended early, and says nothing about holes then
		v.fault(log.Range{}, members, "%v: %s", r.Damage, repairs)
	case !r.Holes.Empty():
		v.note("positions %v have no record: the replica learns them when it catches up", r.Holes)
	}
}
