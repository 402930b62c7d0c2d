package disk

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/quorumlog/quorumlog/log/storage"
)

// mark says how many bytes of a file were synced, from its start, and what they were.
type mark struct {
	name     string
	length   int64
	checksum uint32 // CRC-32C
}

// marks are the marks of a directory, in the file SYNCED. By them Open finds damage that Pebble would take for the torn
// end of a log, and cut off with all that comes after it.
//
// No mark is ever ahead of the disk: it is written after the sync that it tells of, and tells how much was written before
// that began. Pebble has one goroutine for a log that writes and syncs it in turn, so that a change which is made while a
// sync runs waits in memory, and reaches the file after the mark. That write is not synced where the
// file is a write-ahead log, so that a sync stays one sync. When the process ends, the kernel still has it; when the
// power fails, the last half minute may be told by older marks, which hold as well, but for less. All other marks are
// synced.
//
// The file has two pages, which are written in turn: a page that was torn leaves the other one. A page is text,
//
//	CRC-32C of the rest, and the turn
//	name, length and CRC-32C of each file
//
// with an empty line at its end, and whatever was there before after that.
//
// A page whose write failed may be torn. After it no page is written any more, or the next turn could tear the good one: Pebble
// has several goroutines, and some may wait for the lock while the write fails, past the look at whether the store has failed.
type marks struct {
	lock   sync.Mutex
	file   vfs.File // nil if it may only be read
	turn   uint64
	files  []mark
	page   []byte // what was last written
	failed error  // the first failure
}

const (
	pageSize  = 4096
	logSuffix = ".log"
)

// isMarker says whether a file of Pebble is empty, and says what it has to say by its name.
func isMarker(name string) bool { return strings.HasPrefix(name, "marker.") }

// isMarked says whether what a file of Pebble holds gets a mark. A marker is empty: see the fence. Tables have a checksum in every block, and the
// manifest knows which ones there are.
func isMarked(name string) bool {
	return !isMarker(name) && !strings.HasSuffix(name, ".sst") && !strings.HasSuffix(name, ".blob")
}

// createMarks makes the file for a directory that has nothing to mark.
func (d directory) createMarks() error {
	var m marks
	return d.write(marksFile, string(append(m.encode(), make([]byte, 2*pageSize-len(m.page))...)))
}

// openMarks reads the marks, and compares them with the files. What is not as it was synced is storage.ErrCorrupt.
func (d directory) openMarks(readOnly bool) (*marks, error) {
	m, err := d.readMarks()
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(m.files); i++ {
		err := d.compare(m.files[i])
		if name := m.files[i].name; errors.Is(err, fs.ErrNotExist) && !strings.HasSuffix(name, logSuffix) && !isMarker(name) {
			// Pebble misses what it needs. It syncs the name of a log before the log, but not that of other files.
			m.files = slices.Delete(m.files, i, i+1)
			i--
		} else if err != nil {
			return nil, lost(err)
		}
	}
	if readOnly {
		return m, nil
	}
	m.file, err = d.fs.OpenReadWrite(d.fs.PathJoin(d.path, marksFile), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, fmt.Errorf("open the marks: %w", err)
	}
	if err := m.sync(); err != nil { // or a mark that was dropped could be taken for that of a new file of the same name
		return nil, fmt.Errorf("write the marks: %w", errors.Join(err, m.file.Close()))
	}
	return m, nil
}

// lost says what the damage of a file means. A file that the system refuses to read is not damaged.
func lost(err error) error {
	if !errors.Is(err, errDamaged) && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read what was synced: %w", err)
	}
	return fmt.Errorf("%w: synced changes are damaged or lost: %w",
		storage.ErrCorrupt, err)
}

var errDamaged = errors.New("not what was synced")

func (d directory) readMarks() (*marks, error) {
	f, err := d.fs.Open(d.fs.PathJoin(d.path, marksFile))
	if err != nil {
		return nil, lost(err)
	}
	text, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, lost(err)
	}
	var newest *marks
	for page := range slices.Chunk(text, pageSize) {
		if m, ok := decodeMarks(page); ok && (newest == nil || newest.turn < m.turn) {
			newest = m
		}
	}
	if newest == nil {
		return nil, lost(fmt.Errorf("%s is %w", marksFile, errDamaged))
	}
	return newest, nil
}

// compare reads the marked part of a file.
func (d directory) compare(m mark) error {
	f, err := d.fs.Open(d.fs.PathJoin(d.path, m.name))
	if err != nil {
		return err
	}
	sum := crc32.New(castagnoli())
	n, err := io.CopyN(sum, f, m.length)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s has %d bytes, and %d were synced: %w", m.name, n, m.length, errDamaged)
	} else if err == nil && sum.Sum32() != m.checksum {
		err = fmt.Errorf("the first %d bytes of %s have the checksum %08x and not %08x: %w",
			n, m.name, sum.Sum32(), m.checksum, errDamaged)
	}
	return errors.Join(err, f.Close())
}

// synced marks what was just synced of a file.
func (m *marks) synced(now mark) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	if i := m.find(now.name); i >= 0 {
		m.files[i] = now
	} else {
		m.files = append(m.files, now)
	}
	if strings.HasSuffix(now.name, logSuffix) {
		return m.write()
	}
	return m.sync()
}

// forget drops the mark of a file that is about to go. It is synced, because a mark without its log is damage.
func (m *marks) forget(name string) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	i := m.find(name)
	if i < 0 {
		return nil
	}
	m.files = slices.Delete(m.files, i, i+1)
	return m.sync()
}

// rename follows a file that has got another name.
func (m *marks) rename(from, to string) error {
	if err := m.forget(to); err != nil {
		return err
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	i := m.find(from)
	if i < 0 {
		return nil
	}
	m.files[i].name = to
	return m.sync()
}

// close makes the marks durable, and ends the use of the file.
func (m *marks) close() error {
	if m.file == nil {
		return nil
	}
	return errors.Join(m.file.Sync(), m.file.Close())
}

func (m *marks) find(name string) int {
	return slices.IndexFunc(m.files, func(f mark) bool { return f.name == name })
}

// sync writes a page and makes it durable.
func (m *marks) sync() error {
	if err := m.write(); err != nil {
		return err
	}
	m.failed = m.file.Sync()
	return m.failed
}

// write writes a page, unless one has failed before.
func (m *marks) write() error {
	if m.failed != nil {
		return m.failed
	}
	m.turn++
	page := m.encode()
	if len(page) > pageSize { // Pebble has ten files or so
		m.failed = fmt.Errorf("the marks of %d files have %d bytes, more than %d", len(m.files), len(page), pageSize)
		return m.failed
	}
	_, m.failed = m.file.WriteAt(page, int64(m.turn%2)*pageSize)
	return m.failed
}

// encode returns a page. The next call overwrites it.
func (m *marks) encode() []byte {
	const head = len("01234567 ")
	b := strconv.AppendUint(append(m.page[:0], "         "...), m.turn, 10)
	for _, f := range m.files {
		b = append(append(append(b, '\n'), f.name...), ' ')
		b = append(strconv.AppendInt(b, f.length, 10), ' ')
		b = strconv.AppendUint(b, uint64(f.checksum), 16)
	}
	hex.Encode(b, sumOf(b[head:]))
	m.page = append(b, "\n\n"...)
	return m.page
}

func sumOf(text []byte) []byte {
	sum := crc32.Checksum(text, castagnoli())
	return []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}
}

func decodeMarks(page []byte) (*marks, bool) {
	page, _, whole := bytes.Cut(page, []byte("\n\n"))
	sum, text, found := bytes.Cut(page, []byte(" "))
	if !whole || !found || string(sum) != hex.EncodeToString(sumOf(text)) {
		return nil, false
	}
	m := &marks{}
	lines := strings.Split(string(text), "\n")
	var err error
	if m.turn, err = strconv.ParseUint(lines[0], 10, 64); err != nil {
		return nil, false
	}
	for _, line := range lines[1:] {
		var f mark
		if _, err := fmt.Sscanf(line, "%s %d %x", &f.name, &f.length, &f.checksum); err != nil {
			return nil, false
		}
		m.files = append(m.files, f)
	}
	return m, true
}

// castagnoli is the table of CRC-32C. It is made once.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }
