// Package backup keeps a part of a log in files.
//
// A file holds every record from one position to another, entries or not, all of them learned: chosen values are the same on
// every member, so that one copy is as good as another. Several files that follow each other are a chain.
//
//	"quorumlog backup 1\n"
//	frame       'P', length of the bytes, their CRC-32C, bytes: a messages.Page      as many as it takes
//	frame       'M', length of the bytes, their CRC-32C, bytes: the Manifest in JSON
//	"\nquorumlog end\n"
//
// Numbers are 4 bytes, the highest first. The manifest has the SHA-256 of everything before its frame. A file gets its name when
// it is whole and synced: under the name of a backup there is never half of one.
package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/quorumlog/quorumlog/log"
)

// Format is the version of the files that this program writes, and the highest that it reads.
const Format = 1

// Errors that are returned, wrapped.
var (
	// ErrDamaged: the file is not as it was written, or is no backup.
	ErrDamaged = errors.New("backup is damaged")
	// ErrNewerFormat: the file was written by a newer version of quorumlog.
	ErrNewerFormat = errors.New("backup has a newer format")
	// ErrNoChain: the files do not follow each other, or are of different logs.
	ErrNoChain = errors.New("backups do not fit together")
	// ErrExists: there is a file of this name already. A backup is never overwritten.
	ErrExists = errors.New("file exists")
)

// Manifest says what a file holds. Its JSON names are a contract.
type Manifest struct {
	Format        int           `json:"format"`        // see the constant Format
	Version       string        `json:"version"`       // of the program that wrote it
	Cluster       string        `json:"cluster"`       // the cluster's name
	Configuration string        `json:"configuration"` // the hash of its member list; empty where a directory was read
	Members       string        `json:"members"`       // the list, or the ids where a directory was read; for people
	Source        log.ReplicaID `json:"source"`        // whose records they are
	Compared      log.ReplicaID `json:"compared"`      // whose digests they were compared with; 0: nobody's
	First         log.Position  `json:"first"`         // the first position in the file
	Last          log.Position  `json:"last"`          // the last one
	Begin         log.Position  `json:"begin"`         // where the log begins, as far as the file knows: what is below was truncated
	Entries       uint64        `json:"entries"`       // how many of the positions are entries
	Bytes         uint64        `json:"bytes"`         // of the entries
	Highest       log.Proposal  `json:"highest"`       // at least every proposal that was ever elected: fences go on above it
	Began         time.Time     `json:"began"`         // when, by the clock of the program that wrote it
	Ended         time.Time     `json:"ended"`         // the same
	Tail          Tail          `json:"tail"`
	SHA256        string        `json:"sha256"` // of everything in the file before the manifest, in hexadecimal
}

// Tail is the end of a file, by which the next file of a chain knows that it is of the same log.
type Tail struct {
	First  log.Position `json:"first"`
	Last   log.Position `json:"last"`
	SHA256 string       `json:"sha256"` // as codec.Digest gives it, in hexadecimal
}

// Range is the positions that the file holds.
func (m Manifest) Range() log.Range { return log.Range{First: m.First, Last: m.Last} }

// Range is the positions of the tail.
func (t Tail) Range() log.Range { return log.Range{First: t.First, Last: t.Last} }

// String is the name of a file that a directory of backups gives it: names in their order are positions in their order.
func (m Manifest) String() string { return fmt.Sprintf("%020d-%020d%s", m.First, m.Last, Suffix) }

// Suffix ends the names of backups in a directory of them.
const Suffix = ".backup"

const (
	head     = "quorumlog backup "
	foot     = "\nquorumlog end\n"
	headSize = len(head) + 2 // a digit and a line feed

	pageFrame     = 'P'
	manifestFrame = 'M'
	frameHead     = 1 + 4 + 4
	// largestFrame bounds what a reader allocates: a page of one entry of 1 MiB, or of 1,024 records, is far below.
	largestFrame = 8 << 20
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func damagedf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// decodeManifest reads a manifest. A newer program may have more to say.
func decodeManifest(text []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return m, damagedf("its manifest cannot be read: %v", err)
	}
	if m.First == 0 || m.Last < m.First || m.Last > log.MaxPosition || m.Begin == 0 || m.Begin > m.Last+1 {
		return m, damagedf("its manifest says positions %d to %d of a log that begins at %d", m.First, m.Last, m.Begin)
	}
	return m, nil
}
