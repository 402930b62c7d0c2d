package disk

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/quorumlog/quorumlog/log/storage"
)

// rosterFile says which logs are in the directory beside the one without a name. A directory that has no other has no such file.
const rosterFile = "LOGS"

// roster is what it says. It is a file, and not a key, so that it can be read where the database cannot: the logs of a directory that is
// damaged had data, and those of the directory in its place must begin as such.
type roster struct {
	names []string // the one at i has the number i+1, for ever
	// forgotten: the directory has replaced one whose roster could not be read. A log of any name may have had data in it.
	forgotten bool
}

const (
	rosterHead     = "These are the logs in this data directory, but for the one without a name.\n"
	forgottenLine  = "and those of a directory that was damaged, which nobody knows"
	rosterLinePart = "log "
)

func (r roster) empty() bool { return len(r.names) == 0 && !r.forgotten }

// find returns the number of a log. The one without a name is always there.
func (r roster) find(name string) (keys, bool) {
	if name == "" {
		return 0, true
	}
	i := slices.Index(r.names, name)
	return keys(i + 1), i >= 0
}

// String is for people.
func (r roster) String() string {
	return strings.Join(append([]string{"the one without a name"}, r.names...), ", ")
}

// text is the roster as it is written: its last line is the CRC-32C of the others.
func (r roster) text() string {
	text := rosterHead
	for i, name := range r.names {
		text += fmt.Sprintf("%s%d %s\n", rosterLinePart, i+1, name)
	}
	if r.forgotten {
		text += forgottenLine + "\n"
	}
	return text + fmt.Sprintf("crc32c %08x\n", crc32.Checksum([]byte(text), castagnoli()))
}

// decodeRoster reads a roster. One that is not as it was written is errDamaged.
func decodeRoster(text string) (r roster, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if entry, isLog := strings.CutPrefix(line, rosterLinePart); isLog {
			number, name, _ := strings.Cut(entry, " ")
			if number != strconv.Itoa(len(r.names)+1) || storage.CheckName(name) != nil || slices.Contains(r.names, name) {
				return roster{}, errDamaged
			}
			r.names = append(r.names, name)
		}
		r.forgotten = r.forgotten || line == forgottenLine
	}
	if r.text() != text || len(r.names) >= storage.MaxLogs {
		return roster{}, errDamaged
	}
	return r, nil
}

// readRoster reads the roster of a directory. One that is missing where the label says that there is one is errDamaged.
func (d directory) readRoster(must bool) (roster, error) {
	text, err := d.read(rosterFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) && must:
		return roster{}, fmt.Errorf("%s is missing: %w", rosterFile, errDamaged)
	case errors.Is(err, fs.ErrNotExist):
		return roster{}, nil
	case err != nil:
		return roster{}, fmt.Errorf("read %s: %w", rosterFile, err)
	}
	r, err := decodeRoster(string(text))
	if err != nil {
		return roster{}, fmt.Errorf("%s is %w", rosterFile, err)
	}
	return r, nil
}

// inherit returns the logs that a directory had which was damaged. All of them had data, as far as anybody knows.
func (d directory) inherit() (roster, error) {
	l, err := d.readLabel(completeFile)
	must := err != nil || l.format >= storage.FormatLogs
	if err != nil && !errors.Is(err, errDamaged) {
		return roster{}, err
	}
	r, err := d.readRoster(must)
	if errors.Is(err, errDamaged) {
		return roster{forgotten: true}, nil
	}
	return r, err
}

// titleOf is what people are told of a log.
func titleOf(name string) string {
	if name == "" {
		return "the log"
	}
	return fmt.Sprintf("the log %q", name)
}
