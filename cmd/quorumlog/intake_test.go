package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// all gathers everything, and checks what holds for every batch.
func all(t *testing.T, from io.Reader) (entries []string, err error) {
	t.Helper()
	in := gather(context.Background(), from)
	for b := range in.batches {
		if b.first != uint64(len(entries))+1 {
			t.Errorf("a batch begins with line %d after %d lines", b.first, len(entries))
		}
		size := 0
		for _, e := range b.entries {
			entries = append(entries, string(e))
			size += len(e)
		}
		if size != b.bytes || len(b.entries) == 0 || len(b.entries) > log.MaxRun || len(b.entries) > 1 && size > log.MaxRunBytes {
			t.Errorf("a batch of %d entries with %d bytes, and it says %d", len(b.entries), size, b.bytes)
		}
	}
	return entries, in.err
}

func TestLinesBecomeEntriesInOrder(t *testing.T) {
	for _, r := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"\n", []string{""}},
		{"a", []string{"a"}},
		{"a\n", []string{"a"}},
		{"a\n\nb", []string{"a", "", "b"}},
		{"a\r\nb\x00\n", []string{"a\r", "b\x00"}},
	} {
		got, err := all(t, iotest.OneByteReader(strings.NewReader(r.text)))
		if err != nil || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", r.want) {
			t.Errorf("%q: %q, expected %q: %v", r.text, got, r.want, err)
		}
	}
}

func TestAnyTextIsGatheredWhole(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	var want []string
	for range 4000 {
		size := random.IntN(200)
		if random.IntN(100) == 0 {
			size = random.IntN(log.MaxEntry + 1)
		}
		want = append(want, strings.Repeat("x", size))
	}
	got, err := all(t, strings.NewReader(strings.Join(want, "\n")+"\n"))
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("seed %d: %d entries, expected %d: %v", seed, len(got), len(want), err)
	}
}

func TestLargestLineIsAnEntryAndALargerOneEndsTheIntake(t *testing.T) {
	largest := bytes.Repeat([]byte("x"), log.MaxEntry)
	text := string(largest) + "\na\n" + string(largest) + "x\nb\n"
	got, err := all(t, strings.NewReader(text))
	if !errors.Is(err, cluster.ErrTooLarge) || !strings.Contains(err.Error(), "line 3") || len(got) != 2 {
		t.Errorf("%d lines, %v", len(got), err)
	}
}

func TestInputThatFailsEndsTheIntake(t *testing.T) {
	broken := errors.New("broken")
	got, err := all(t, io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || len(got) != 1 {
		t.Errorf("%q %v", got, err)
	}
}

func TestIntakeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	in, typing := io.Pipe()
	defer typing.Close() //nolint:errcheck // it returns nil
	got := gather(ctx, in)
	cancel()
	if b, more := <-got.batches; more {
		t.Errorf("there is a batch: %v", b)
	}
}
