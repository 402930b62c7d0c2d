package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage/backup"
)

// backupOptions is what backup is told.
type backupOptions struct {
	to   string
	from log.Position // 0: from the beginning, or where the directory of backups ends
}

func newBackupCommand(p *program) *cobra.Command {
	var o backupOptions
	command := &cobra.Command{
		Use:   "backup",
		Short: "Keep the log in a file, while it runs",
		Long: `Writes the log, from its beginning to the last entry that was acknowledged before the command, into one file. The members
go on. It reads one member, rather not the one that writes, and compares every piece with the digest of another. The file gets
its name once it is whole and synced; it is never overwritten.

Where --to is a directory, each run adds what came since the run before, in files of at most 256 MiB or so: the first run takes
all, and one that was cut off goes on behind the last whole file. Files named *.partial are left where a run was killed,
and can be deleted.

With --data it reads one replica's directory, whose member must be stopped: what this replica has learned, which need not be
all.

Prints what each new file holds, with its SHA-256. 'quorumlog verify --backup' checks a backup, 'quorumlog restore' makes a new
cluster from it.

Shows on stderr how far it is: as a bar on a terminal, and elsewhere only with -o ndjson, as events.

Ends with 2 if the backups in the directory are of another cluster, with 3 if no quorum can be reached, and with 4 if members
differ, or the backups in the directory are of another log.`,
		Example: `  quorumlog backup --members 1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101 --to log.backup
  quorumlog backup --to /var/backups/quorumlog/`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return p.backup(command, o) },
	}
	p.addClient(command)
	p.addData(command, "read this data `directory` instead of a running log", false)
	addPosition(command, &o.from, "from", "the first `position` to keep (default: the first that there is, or that is not kept yet)")
	command.Flags().StringVar(&o.to, "to", "", "`file` to make, or directory to add to")
	return command
}

func (p *program) backup(command *cobra.Command, o backupOptions) error {
	if o.to == "" {
		return usagef("no place is given: say --to FILE, or --to DIR")
	}
	place, err := newBackupPlace(o)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	source, err := p.backupSource(command)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer source.close()
	k := keeping{program: p, source: source, place: place}
	patiently(command.Context()) // nobody interrupts the cleaning up
	if err = k.all(command.Context()); err != nil {
		err = because(command.Context(), err)
	}
	if err == nil || len(k.made) > 0 { // or it would say that nothing is new
		err = errors.Join(err, p.printBackups(k.made))
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

func (p *program) backupSource(command *cobra.Command) (backupSource, error) {
	if command.Flags().Changed("data") {
		return p.newDirectorySource()
	}
	return p.newClusterSource(command.Context())
}

// backupSource is where the records of a backup come from.
type backupSource interface {
	// about says whose the records are, and which there are to keep.
	about() (backup.Manifest, log.Range)
	// records reads the first part of a range, and compares it with somebody else's where that is possible.
	records(ctx context.Context, within log.Range) ([]log.Action, error)
	// same returns an error if the end of an earlier backup is not what the log holds there.
	same(ctx context.Context, t backup.Tail) error
	close()
}

// backupPlace is where a backup goes: one file, or a directory to add to.
type backupPlace struct {
	backupOptions
	adds  bool // to is a directory
	chain backup.Chain
}

func newBackupPlace(o backupOptions) (backupPlace, error) {
	place := backupPlace{backupOptions: o}
	info, err := os.Stat(o.to)
	switch {
	case err == nil && !info.IsDir():
		return place, usagef("--to %s: %w: a backup is never overwritten: say another name, or a directory", o.to, backup.ErrExists)
	case err == nil, strings.HasSuffix(o.to, string(filepath.Separator)):
		place.adds = true
	}
	if place.adds {
		if o.from != 0 {
			return place, usagef("--from %d: a directory of backups goes on where it ends: say a file with --to, or leave --from out", o.from)
		}
		if err := os.MkdirAll(o.to, 0o700); err != nil {
			return place, err
		}
		place.chain, err = backup.OpenChain(o.to)
		return place, err
	}
	return place, nil
}

func (b backupPlace) directory() string {
	if b.adds {
		return b.to
	}
	return filepath.Dir(b.to)
}

func (b backupPlace) path(m backup.Manifest) string {
	if b.adds {
		return filepath.Join(b.to, m.String())
	}
	return b.to
}

// goesOn returns the position to go on at, where the place has backups already, and an error where they are of another log.
func (b backupPlace) goesOn(ctx context.Context, s backupSource) (log.Position, error) {
	last, found := b.chain.Last()
	if !found {
		return b.from, nil
	}
	m, there := s.about()
	if m.Cluster != last.Cluster {
		return 0, usagef("--to %s: the backups there are of cluster %q, and this is %q: say another directory", b.to, last.Cluster, m.Cluster)
	}
	if there.Last < last.Last {
		return 0, dataFaultf("the backups in %s go up to position %d, and the log ends at %d: it is not the same log", b.to, last.Last, there.Last)
	}
	if err := s.same(ctx, last.Tail); err != nil {
		return 0, err
	}
	return last.Last + 1, nil
}

// bytesPerBackup is how large a file in a directory of backups gets, about: what a run that is cut off has to do again.
const bytesPerBackup = 256 << 20

// printBackups prints what was made.
func (p *program) printBackups(made []madeBackup) error {
	if p.output != table {
		return errors.Join(p.eachBackup(made)...)
	}
	if len(made) == 0 {
		_, err := fmt.Fprintln(p.out, "nothing is new: the backups hold all of the log")
		return err
	}
	lines := make([][]string, len(made))
	for i, b := range made {
		lines[i] = []string{b.Path, fmt.Sprint(b.First), fmt.Sprint(b.Last), thousands(float64(b.Entries)), thousands(float64(b.Bytes)), b.against(), b.SHA256[:16]}
	}
	return printTable(p.out, "FILE FIRST LAST ENTRIES BYTES COMPARED SHA-256", lines)
}

func (p *program) eachBackup(made []madeBackup) []error {
	if p.output == asJSON {
		return []error{printJSON(p.out, p.output, append([]madeBackup{}, made...))}
	}
	var errs []error
	for _, b := range made {
		errs = append(errs, printJSON(p.out, p.output, b))
	}
	return errs
}

// madeBackup is one file of a backup, as it is printed.
type madeBackup struct {
	Path string `json:"path"`
	backup.Manifest
}

// against says which member was read, and which one it was compared with.
func (b madeBackup) against() string {
	if b.Compared == 0 {
		return "no"
	}
	return fmt.Sprintf("%d=%d", b.Source, b.Compared)
}

// keeping writes the files.
type keeping struct {
	*program
	source backupSource
	place  backupPlace
	made   []madeBackup
	bar    *progress
	began  time.Time
}

func (k *keeping) all(ctx context.Context) error {
	from, err := k.place.goesOn(ctx, k.source)
	if err != nil {
		return err
	}
	_, there := k.source.about()
	if k.place.from != 0 && from < there.First {
		return truncatedTo(there.First)
	}
	there.First = max(from, there.First)
	if there.Empty() {
		return k.nothing(there)
	}
	k.began = time.Now()
	k.bar = k.progress("backup", positionsUnit, there.Len())
	defer k.bar.end()
	whole := there
	for !there.Empty() {
		if there.First, err = k.file(ctx, there, whole); err != nil {
			return err
		}
	}
	return nil
}

// nothing is what becomes of a backup of no position.
func (k *keeping) nothing(there log.Range) error {
	switch _, found := k.place.chain.Last(); {
	case found:
		return nil
	case k.place.from != 0:
		return fmt.Errorf("the log ends at %d: keep it from there", there.Last)
	}
	return errors.New("the log is empty: there is nothing to keep")
}

// file writes one file, and returns the position behind it.
func (k *keeping) file(ctx context.Context, within, whole log.Range) (next log.Position, err error) {
	m, _ := k.source.about()
	m.Version, m.Began = thisBuild().Version, k.began.UTC()
	w, err := backup.Create(k.place.directory(), m)
	if err != nil {
		return 0, err
	}
	for next = within.First; next <= within.Last && (!k.place.adds || w.Size() < bytesPerBackup); next = w.Last() + 1 {
		actions, err := k.source.records(ctx, log.Range{First: next, Last: within.Last})
		if err == nil {
			err = w.Add(actions)
		}
		if err != nil {
			return 0, errors.Join(err, w.Discard())
		}
		k.bar.set(uint64(w.Last() - whole.First + 1))
	}
	var path string
	finished, err := w.Finish(func(m backup.Manifest) string { path = k.place.path(m); return path },
		func(m *backup.Manifest) { m.Ended = time.Now().UTC() })
	if err == nil {
		k.made = append(k.made, madeBackup{path, finished})
	}
	return next, err
}
