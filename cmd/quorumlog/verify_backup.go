package main

import (
	"errors"
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage/backup"
)

// verifyBackup reads backups, and compares all of their checksums.
func (p *program) verifyBackup(paths []string) (verdict, error) {
	v := newVerdict()
	chain, err := backup.OpenChain(paths...)
	if isAny(err, backup.ErrDamaged, backup.ErrNoChain) {
		v.fault(log.Range{}, []log.ReplicaID{}, "%v", err)
		return v, nil
	}
	if err != nil {
		return verdict{}, err
	}
	newest, found := chain.Last()
	if !found {
		return verdict{}, usagef("--backup %v: there is no backup (*%s)", paths, backup.Suffix)
	}
	v.Begin, v.End = chain.Begin(), newest.Last
	v.looked = fmt.Sprintf("in %d files, a backup of cluster %q as it was at %s", len(chain.Files), newest.Cluster, newest.Ended.Format("2006-01-02T15:04:05Z07:00"))
	v.uncompared(chain)
	return v, p.readBackup(&v, chain)
}

// uncompared notes which files hold what only one replica has said.
func (v *verdict) uncompared(chain backup.Chain) {
	for _, f := range chain.Files {
		if f.Manifest.Compared == 0 {
			v.note("%s holds what replica %d said: it was compared with no other", f.Path, f.Manifest.Source)
		}
	}
}

func (p *program) readBackup(v *verdict, chain backup.Chain) error {
	total := uint64(0)
	for _, f := range chain.Files {
		total += f.Manifest.Range().Len()
	}
	bar := p.progress("check", positionsUnit, total)
	defer bar.end()
	done := uint64(0)
	for actions, err := range chain.Records() {
		if errors.Is(err, backup.ErrDamaged) {
			v.fault(log.Range{}, []log.ReplicaID{}, "%v", err)
			return nil
		}
		if err != nil {
			return err
		}
		done += uint64(len(actions))
		bar.set(done)
		for _, a := range actions {
			if a.Position >= v.Begin {
				v.Positions++
			}
		}
	}
	return nil
}
