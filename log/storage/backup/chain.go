package backup

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/quorumlog/quorumlog/log"
)

// Chain is files that together hold a log without a gap, from where it begins. The zero Chain holds nothing.
type Chain struct {
	Files []File // in the order of their positions
}

// OpenChain opens files, and directories of them, and puts them in order. The error wraps ErrNoChain where they do not fit
// together, and else is one of Open.
func OpenChain(paths ...string) (Chain, error) {
	var c Chain
	for _, path := range paths {
		names, err := expand(path)
		if err != nil {
			return Chain{}, err
		}
		for _, name := range names {
			f, err := Open(name)
			if err != nil {
				return Chain{}, err
			}
			c.Files = append(c.Files, f)
		}
	}
	slices.SortFunc(c.Files, func(a, b File) int { return cmp.Compare(a.Manifest.First, b.Manifest.First) })
	return c, c.check()
}

// expand returns the backups in a directory, or the file itself.
func expand(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open the backup: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("open the backups: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.Type() == fs.ModeDir || !strings.HasSuffix(e.Name(), Suffix) {
			continue
		}
		names = append(names, filepath.Join(path, e.Name()))
	}
	return names, nil
}

// check says whether the files are of one log, and each goes on where the one before ends. A gap of positions that were
// truncated when the later file was made is none.
func (c Chain) check() error {
	var faults []error
	for i := 1; i < len(c.Files); i++ {
		before, f := c.Files[i-1], c.Files[i]
		a, b := before.Manifest, f.Manifest
		switch {
		case a.Cluster != b.Cluster:
			faults = append(faults, fmt.Errorf("%w: %s is of cluster %q, and %s of %q", ErrNoChain, before.Path, a.Cluster, f.Path, b.Cluster))
		case b.First <= a.Last:
			faults = append(faults, fmt.Errorf("%w: %s and %s both hold position %d", ErrNoChain, before.Path, f.Path, b.First))
		case b.First > a.Last+1 && b.Begin < b.First:
			faults = append(faults, fmt.Errorf("%w: positions %d to %d are in no file between %s and %s",
				ErrNoChain, a.Last+1, b.First-1, before.Path, f.Path))
		}
	}
	if begin := c.Begin(); len(c.Files) > 0 && c.Files[0].Manifest.First > begin {
		faults = append(faults, fmt.Errorf("%w: the log begins at position %d, and the first file, %s, at %d: give those before it too",
			ErrNoChain, begin, c.Files[0].Path, c.Files[0].Manifest.First))
	}
	return errors.Join(faults...)
}

// Last is the manifest of the newest file; false where there is none.
func (c Chain) Last() (Manifest, bool) {
	if len(c.Files) == 0 {
		return Manifest{}, false
	}
	return c.Files[len(c.Files)-1].Manifest, true
}

// Begin is where the log begins that the files hold; 1 where there are none.
func (c Chain) Begin() log.Position {
	begin := log.Position(1)
	for _, f := range c.Files {
		begin = max(begin, f.Manifest.Begin)
	}
	return begin
}

// Highest is at least every proposal that was elected until the newest file was made.
func (c Chain) Highest() log.Proposal {
	var highest log.Proposal
	for _, f := range c.Files {
		highest = max(highest, f.Manifest.Highest)
	}
	return highest
}

// Records yields the records of all files, in the order of positions. Those below Begin are among them.
func (c Chain) Records() iter.Seq2[[]log.Action, error] {
	return func(yield func([]log.Action, error) bool) {
		for _, f := range c.Files {
			for actions, err := range f.Records() {
				if !yield(actions, err) || err != nil {
					return
				}
			}
		}
	}
}
