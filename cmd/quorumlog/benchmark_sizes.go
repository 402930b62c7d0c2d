package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/quorumlog/quorumlog/log"
)

// entrySize is a size of an entry as a flag: bytes, from 1 to 1 MiB.
type entrySize int

var _ pflag.Value = (*entrySize)(nil)

// String implements pflag.Value.
func (s *entrySize) String() string { return strconv.Itoa(int(*s)) }

// Set implements pflag.Value.
func (s *entrySize) Set(text string) error {
	size, err := parseSize(text)
	if err == nil {
		*s = size
	}
	return err
}

// Type implements pflag.Value.
func (s *entrySize) Type() string { return "size" }

// parseSize reads a size as people write it, and as a Mesos trace file has it: 100B, 4KB, 1MiB or a bare number. A KB has
// 1,024 bytes, as it has there.
func parseSize(text string) (entrySize, error) {
	digits := strings.TrimRight(text, "BiKM")
	n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 32)
	factor, known := map[string]uint64{"": 1, "B": 1, "KB": 1 << 10, "KiB": 1 << 10, "MB": 1 << 20, "MiB": 1 << 20}[text[len(digits):]]
	switch {
	case err != nil || !known:
		return 0, fmt.Errorf("%q is not a size: write a whole number with B, KiB or MiB, such as 128 or 4KiB", text)
	case n < 1 || n*factor > log.MaxEntry:
		return 0, fmt.Errorf("%s is not the size of an entry: it has from 1 B to 1 MiB", text)
	}
	return entrySize(n * factor), nil
}

// readTrace reads the sizes of a trace file: one on each line, as the benchmark of Mesos takes it. Empty lines are skipped.
func readTrace(name string) ([]entrySize, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("--trace: %w", err)
	}
	var sizes []entrySize
	lines := bufio.NewScanner(bytes.NewReader(text))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		size, err := parseSize(line)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, number, err)
		}
		sizes = append(sizes, size)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(sizes) == 0 {
		return nil, fmt.Errorf("%s has no sizes: write one on each line, such as 100B or 4KB", name)
	}
	return sizes, nil
}

// fill is what the entries consist of.
type fill string

// The fills. What is all alike, a disk may compress.
const (
	fillRandom fill = "random"
	fillZero   fill = "zero"
	fillOne    fill = "one"
)

// String implements pflag.Value.
func (f *fill) String() string { return string(*f) }

// Set implements pflag.Value.
func (f *fill) Set(text string) error { return choose(f, text, fillRandom, fillZero, fillOne) }

// Type implements pflag.Value.
func (f *fill) Type() string { return "bytes" }

// source makes the entries: each is a part of the same bytes, so that making one costs nothing. Those that follow each other
// share none: a disk that compresses what is written together would find them alike, and the random ones would not be.
type source struct {
	sizes  []entrySize // in turns
	stride uint64      // from one entry to the next; not shorter than the largest
	bytes  []byte
}

// sourceBytes is more than a disk compresses together, several times over.
const sourceBytes = 16 << 20

func newSource(f fill, sizes ...entrySize) *source {
	largest := entrySize(1)
	for _, size := range sizes {
		largest = max(largest, size)
	}
	s := &source{sizes: sizes, stride: uint64(largest), bytes: make([]byte, sourceBytes)}
	switch f {
	case fillRandom:
		random := rand.NewChaCha8([32]byte{})
		_, _ = random.Read(s.bytes) // it never fails
	case fillOne:
		copy(s.bytes, bytes.Repeat([]byte{0xff}, len(s.bytes)))
	case fillZero:
	}
	return s
}

// at is the i-th entry. Entries are not to be changed.
func (s *source) at(i uint64) []byte {
	size := uint64(s.sizes[i%uint64(len(s.sizes))])
	begin := i * s.stride % (uint64(len(s.bytes)) - size)
	return s.bytes[begin : begin+size]
}
