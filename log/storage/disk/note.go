package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/quorumlog/quorumlog/log/storage"
)

// note is what a store leaves in the directory when it fails, in the file FAULT, for the one that is opened next. Most
// damage is in tables, and those are not read at the start: it would be met again only by the next read.
type note struct {
	kind string // one of those below; empty: there is none
	text string // what had happened
}

const (
	// noteCorrupt: something that was read was not what had been written.
	noteCorrupt = "corrupt"
	// noteFailed: the system refused to write, to sync or to read. What was synced before may well be whole.
	noteFailed = "failed"
)

// leaveNote makes a note of a failure durable. A disk that is full is no fault of the disk, and gets none.
func (d directory) leaveNote(err error) error {
	kind := noteFailed
	switch {
	case errors.Is(err, storage.ErrFull):
		return nil
	case errors.Is(err, storage.ErrCorrupt):
		kind = noteCorrupt
	}
	return d.writeWhole(faultFile, kind+" "+err.Error()+"\n")
}

// readNote reads the note of the store before. One that cannot be understood is of a failure: the disk failed while it was
// written.
func (d directory) readNote() (note, error) {
	text, err := d.read(faultFile)
	if errors.Is(err, fs.ErrNotExist) {
		return note{}, nil
	}
	if err != nil {
		return note{}, fmt.Errorf("read %s: %w", faultFile, err)
	}
	kind, rest, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if kind != noteCorrupt {
		kind = noteFailed
	}
	return note{kind, rest}, nil
}

func (n note) err(path string) error {
	return fmt.Errorf("%w: the process before found damage (%s): to start it all the same, delete %s in %s",
		storage.ErrCorrupt, n.text, faultFile, path)
}
