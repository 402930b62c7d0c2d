package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/storage/backup"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// clusterSource reads one member of a running log, and compares what it reads with another's digests.
type clusterSource struct {
	*program
	client   *cluster.Client
	reader   *cluster.Reader
	other    *cluster.Reader // nil where there is no other member that votes
	manifest backup.Manifest
	there    log.Range
	ahead    *ahead // what was asked for before it is wanted
}

func (p *program) newClusterSource(ctx context.Context) (*clusterSource, error) {
	client, err := p.client(ctx)
	if err != nil {
		return nil, err
	}
	s := &clusterSource{program: p, client: client}
	if err := s.prepare(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// prepare chooses the members to read, and has them learn what was acknowledged so far.
func (s *clusterSource) prepare(ctx context.Context) error {
	limited, cancel := s.limited(ctx)
	defer cancel()
	statuses := s.client.Status(limited)
	if err := sameMembers(s.client.Configuration(), statuses); err != nil {
		return err
	}
	if err := quorumVotes(statuses); err != nil {
		return err
	}
	s.choose(statuses)
	begin, _, err := s.reader.Bounds(limited)
	if err != nil {
		return err
	}
	last, err := s.reader.Catchup(limited) // behind the bounds: the TRUNCATE that moved the begin belongs to the log from there on
	if err != nil {
		return err
	}
	if s.other != nil {
		if _, err := s.other.Catchup(limited); err != nil {
			return err
		}
	}
	s.there, s.manifest.Begin = log.Range{First: begin, Last: last}, begin
	return nil
}

// choose reads a member that does not write, where there is one, and compares with whoever is left.
func (s *clusterSource) choose(statuses []cluster.Status) {
	s.manifest = backup.Manifest{Configuration: s.client.Configuration(), Members: cluster.FormatMembers(s.client.Members())}
	var source, other *cluster.Status
	for i := range statuses {
		status := &statuses[i]
		if !status.Reachable || status.Status != voting {
			continue
		}
		s.manifest.Cluster = status.Cluster
		if promised, err := log.ParseProposal(status.Promised); err == nil {
			s.manifest.Highest = max(s.manifest.Highest, promised)
		}
		switch {
		case source == nil || source.Leader:
			source, other = status, source
		case other == nil || other.Leader:
			other = status
		}
	}
	s.manifest.Source, s.reader = source.ID, s.client.ReaderOf(source.ID)
	if other != nil {
		s.manifest.Compared, s.other = other.ID, s.client.ReaderOf(other.ID)
	}
}

func (s *clusterSource) about() (backup.Manifest, log.Range) { return s.manifest, s.there }

func (s *clusterSource) close() {
	s.ahead.wait()
	_ = s.client.Close() // it returns nil
}

// ahead is a piece that is on its way, while the one before is compared and written.
type ahead struct {
	first   log.Position
	done    chan struct{}
	records cluster.Records
	err     error
}

func (a *ahead) wait() {
	if a != nil {
		<-a.done
	}
}

func (s *clusterSource) ask(ctx context.Context, within log.Range) *ahead {
	a := &ahead{first: within.First, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		ctx, cancel := s.limited(ctx)
		defer cancel()
		a.records, a.err = s.reader.Records(ctx, within)
	}()
	return a
}

// records returns a piece that another member has too, and asks for the next one meanwhile.
func (s *clusterSource) records(ctx context.Context, within log.Range) ([]log.Action, error) {
	if s.ahead == nil || s.ahead.first != within.First {
		s.ahead.wait()
		s.ahead = s.ask(ctx, within)
	}
	s.ahead.wait()
	piece, err := s.ahead.records, s.ahead.err
	s.ahead = nil
	if err != nil {
		return nil, truncatedMeanwhile(err)
	}
	if next := piece.Range.Last + 1; next <= within.Last {
		s.ahead = s.ask(ctx, log.Range{First: next, Last: within.Last})
	}
	return piece.Actions, s.compare(ctx, piece)
}

func (s *clusterSource) compare(ctx context.Context, piece cluster.Records) error {
	if s.other == nil {
		return nil
	}
	ctx, cancel := s.limited(ctx)
	defer cancel()
	theirs, err := s.other.Digest(ctx, piece.Range)
	if err != nil {
		return truncatedMeanwhile(err)
	}
	if theirs != piece.Digest() {
		return dataFaultf("members %d and %d differ in positions %v: run quorumlog verify, and keep no backup of this log before you know why",
			s.manifest.Source, s.manifest.Compared, piece.Range)
	}
	return nil
}

func truncatedMeanwhile(err error) error {
	if errors.Is(err, cluster.ErrTruncated) {
		return fmt.Errorf("%w: somebody truncated the log meanwhile: run it again", err)
	}
	return err
}

func (s *clusterSource) same(ctx context.Context, t backup.Tail) error {
	ctx, cancel := s.limited(ctx)
	defer cancel()
	digest, err := s.reader.Digest(ctx, t.Range())
	if errors.Is(err, cluster.ErrTruncated) {
		return nil // what the log does not have any more cannot be compared
	}
	if err != nil {
		return err
	}
	return sameTail(t, digest.SHA256)
}

func sameTail(t backup.Tail, sum [32]byte) error {
	if hex.EncodeToString(sum[:]) == t.SHA256 {
		return nil
	}
	return dataFaultf("the earlier backups differ from the log in positions %v: they are of another log: say another directory", t.Range())
}

// directorySource reads the directory of a replica that does not run.
type directorySource struct {
	store    *disk.Store
	manifest backup.Manifest
	there    log.Range
}

func (p *program) newDirectorySource() (*directorySource, error) {
	store, err := p.openOffline()
	if err != nil {
		return nil, err
	}
	summary, err := store.Summary()
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	m := store.Metadata()
	s := &directorySource{store: store, there: log.Range{First: m.Begin, Last: m.Begin - 1}}
	if run, found := summary.Learned.Run(m.Begin); found {
		s.there.Last = run.Last
	}
	s.manifest = backup.Manifest{
		Cluster: m.Cluster, Members: fmt.Sprint(membersOf(m)), Source: m.Replica, Begin: m.Begin, Highest: max(m.Highest, m.Promised),
	}
	return s, nil
}

func (s *directorySource) about() (backup.Manifest, log.Range) { return s.manifest, s.there }

func (s *directorySource) close() { _ = s.store.Close() } // it was only read

func (s *directorySource) records(_ context.Context, within log.Range) ([]log.Action, error) {
	return scanPiece(s.store, within)
}

// scanPiece reads the first part of a range in which every position has a record: as much as one message would carry.
func scanPiece(store *disk.Store, within log.Range) (actions []log.Action, err error) {
	bytes := 0
	err = store.Scan(within, func(a log.Action) bool {
		full := len(actions) == log.MaxRun || len(actions) > 0 && bytes+len(a.Value.Data) > log.MaxRunBytes
		if full || a.Position != within.First+log.Position(len(actions)) { // or one is missing, and the next piece begins there
			return false
		}
		a.Learned = true
		bytes += len(a.Value.Data)
		actions = append(actions, a)
		return true
	})
	if err == nil && (len(actions) == 0 || actions[0].Position != within.First) {
		err = fmt.Errorf("%w: position %d is learned, and has no record", cluster.ErrCorrupt, within.First)
	}
	return actions, err
}

func (s *directorySource) same(_ context.Context, t backup.Tail) error {
	if t.First < s.there.First {
		return nil
	}
	actions, err := scanPiece(s.store, t.Range())
	if err != nil {
		return err
	}
	return sameTail(t, codec.Digest(actions))
}
