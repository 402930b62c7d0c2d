package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// founding makes the data directories of a new cluster, whose log begins with what another one had. The new cluster has a
// name that no other one ever had: members of the old one, and what it was restored to before, are refused by the new ones, and
// refuse them. All directories are made at once, and know each other's disks; so a second founding never meets the first.
type founding struct {
	*program
	name    string // of the new cluster
	members []log.ReplicaID
	to      string // the directory to make, with a data directory for each member
	from    disk.Foundation
	records uint64 // how many there are, for the progress
}

// founded is where a new cluster is, as restore and rescue print it. Its names are a contract.
type founded struct {
	Cluster     string          `json:"cluster"`
	Members     []log.ReplicaID `json:"members"`
	Begin       log.Position    `json:"begin"`
	End         log.Position    `json:"end"`
	Directories []string        `json:"directories"` // in the order of the members
}

// newName returns a name for a cluster whose log comes from another one: that one's, and a number that nobody has drawn.
func newName(old string) string {
	base, _, _ := strings.Cut(old, "@")
	return fmt.Sprintf("%s@%08x", base, rand.Uint32())
}

// all makes the directories beside the place, looks at them, and puts them there in one step. Where it is interrupted it leaves
// nothing.
func (f *founding) all(ctx context.Context) (founded, error) {
	patiently(ctx) // nobody interrupts the cleaning up
	if _, err := os.Lstat(f.to); !errors.Is(err, fs.ErrNotExist) {
		return founded{}, usagef("--to %s: it is there already: say a directory to make", f.to)
	}
	if err := os.MkdirAll(filepath.Dir(f.to), 0o755); err != nil {
		return founded{}, err
	}
	beside, err := os.MkdirTemp(filepath.Dir(f.to), filepath.Base(f.to)+".partial-*")
	if err != nil {
		return founded{}, err
	}
	result, err := f.beside(ctx, beside)
	if err == nil {
		err = putInPlace(beside, f.to)
	}
	if err != nil {
		return founded{}, errors.Join(because(ctx, err), os.RemoveAll(beside))
	}
	return result, nil
}

func (f *founding) beside(ctx context.Context, dir string) (founded, error) {
	result := founded{Cluster: f.name, Members: f.members, Begin: f.from.Begin}
	for _, id := range f.members {
		f.from.Disks = f.from.Disks.With(id, identity.Incarnation{Generation: 1, Disk: rand.Uint64()})
	}
	for _, id := range f.members {
		end, err := f.member(ctx, filepath.Join(dir, fmt.Sprint(id)), id)
		if err != nil {
			return founded{}, fmt.Errorf("make the directory of member %d: %w", id, err)
		}
		result.End = end
		result.Directories = append(result.Directories, filepath.Join(f.to, fmt.Sprint(id)))
	}
	return result, nil
}

// member makes one directory, reads it again, and returns where its log ends.
func (f *founding) member(ctx context.Context, dir string, id log.ReplicaID) (log.Position, error) {
	options := disk.Options{Dir: dir, Cluster: f.name, Replica: id, Members: f.members, Logger: zerolog.Nop()}
	from := f.from
	bar := f.progress(fmt.Sprintf("member %d", id), positionsUnit, f.records)
	defer bar.end()
	from.Records = func(yield func([]log.Action, error) bool) {
		done := uint64(0)
		for actions, err := range f.from.Records {
			if err == nil {
				err = context.Cause(ctx)
			}
			if !yield(actions, err) || err != nil {
				return
			}
			done += uint64(len(actions))
			bar.set(done)
		}
	}
	if err := disk.Build(options, from); err != nil {
		return 0, err
	}
	return lookedAt(options)
}

// lookedAt reads a directory that was just made, and returns where its log ends.
func lookedAt(options disk.Options) (end log.Position, err error) {
	options.ReadOnly = true
	store, err := disk.Open(options)
	if err != nil {
		return 0, err
	}
	defer store.Close() //nolint:errcheck // it was only read
	report, err := disk.Check(store, nil)
	if err != nil {
		return 0, err
	}
	kept := log.Range{First: report.Begin, Last: report.End}
	if report.Damage != nil || !report.Learned.Covers(kept) || report.Records != kept.Len() {
		return 0, fmt.Errorf("%w: what was written is not what is read: %d of %d records are right: %w",
			cluster.ErrCorrupt, report.Records, kept.Len(), report.Damage)
	}
	return report.End, nil
}

// putInPlace gives a directory its name once all of it is durable: whoever finds the name finds everything. Where that fails there is no such
// name.
func putInPlace(dir, name string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	if err := syncDirectory(dir); err != nil {
		return err
	}
	if err := os.Rename(dir, name); err != nil {
		return err
	}
	if err := syncDirectory(filepath.Dir(name)); err != nil {
		return errors.Join(err, os.RemoveAll(name))
	}
	return nil
}

// syncDirectory makes the names in a directory durable.
func syncDirectory(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// printFounded says where the new cluster is, and how it is started.
func (p *program) printFounded(f founded) error {
	lines := make([][]string, len(f.Members))
	for i, id := range f.Members {
		lines[i] = []string{fmt.Sprint(id), f.Directories[i], fmt.Sprint(f.Begin), fmt.Sprint(f.End)}
	}
	if err := printTable(p.out, "ID DIRECTORY BEGIN END", lines); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.out, `the new cluster is called %s: no member of another one can join it
move each directory to its machine, and start it there: quorumlog serve --cluster %s --id ID --data DIRECTORY --members LIST
`, f.Cluster, f.Cluster)
	return err
}

// named returns the name of the new cluster: that of --cluster, or else of the old one, with a number behind it.
func (p *program) named(old string, given bool) string {
	if given {
		return newName(p.cluster)
	}
	return newName(old)
}
