// Package file is a discovery that reads where members are from a file, which something else writes.
//
//	# a line per member, as in --members; a # begins a comment
//	1=10.0.0.7:7101
//	2=10.0.0.2:7101
//
// The file is looked at once a second. It should be replaced (mv), so that nobody reads half of it; half an address is an address.
package file

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/log"
)

// maxSize is how many bytes of a file are read.
const maxSize = 1 << 20

// Source is a file.
type Source struct {
	discovery.Written
	path  string
	every time.Duration
}

var _ discovery.Source = (*Source)(nil)

// New returns the source of a file. It need not be there yet.
func New(path string) *Source { return &Source{path: path, every: time.Second} }

// Watch implements discovery.Source. A file that cannot be read, or is wrong, is an error: what it said before still counts.
func (s *Source) Watch(ctx context.Context, found func(discovery.Places)) error {
	var last []byte
	again := time.NewTicker(s.every)
	defer again.Stop()
	for {
		text, err := s.read()
		if err != nil {
			return err
		}
		if last == nil || !bytes.Equal(text, last) {
			places, err := Parse(text)
			if err != nil {
				return fmt.Errorf("%s: %w", s.path, err)
			}
			found(places)
			last = append([]byte{}, text...)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Source) read() (text []byte, err error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, fmt.Errorf("read the places: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if text, err = io.ReadAll(io.LimitReader(f, maxSize+1)); err != nil {
		return nil, fmt.Errorf("read the places: %w", err)
	}
	if len(text) > maxSize {
		return nil, fmt.Errorf("%s has more than 1 MiB: it is no list of places", s.path)
	}
	return text, nil
}

// Parse reads a list of places, one on each line.
func Parse(text []byte) (discovery.Places, error) {
	places := make(discovery.Places)
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, address, _ := strings.Cut(line, "=")
		id, err := strconv.ParseUint(strings.TrimSpace(name), 10, 16)
		place := discovery.Place{Member: log.ReplicaID(id), Address: strings.TrimSpace(address)}
		if err != nil || place.Validate() != nil {
			return nil, fmt.Errorf("line %d: %.100q is no place of a member: write ID=HOST:PORT", n, line)
		}
		places.Add(place)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the lines: %w", err)
	}
	return places, nil
}
