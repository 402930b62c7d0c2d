package process

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// smallDisk gives a member a disk of its own of a few MiB.
func (c *Cluster) smallDisk(t *testing.T, id int) {
	t.Helper()
	if err := apart(); err != nil {
		t.Skip(err)
	}
	if err := os.MkdirAll(c.Data(id), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("quorumlog", c.Data(id), "tmpfs", 0, "size=32m,mode=0700"); err != nil {
		t.Skipf("no file system of its own: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(c.Data(id), syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(f, zeros{})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

func TestMemberWhoseDiskIsFullStopsAndGoesOnWhenThereIsRoom(t *testing.T) {
	alongside(t)
	c := New(t, 3)
	c.smallDisk(t, 3)
	run := startChaosOf(t, c)
	ballast := filepath.Join(c.Data(3), "ballast")
	full := c.running[3]
	run.hit("%s had no room left", run.role(3))
	fill(t, ballast)
	if code := full.Wait(); code != 4 || !strings.Contains(full.Stderr.String(), "no space left") {
		t.Errorf("it ended with %d:\n%s", code, full.Stderr)
	}
	delete(c.running, 3)
	run.goesOn("without it")

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	run.hit("there was room again")
	again := c.StartMember(3)
	run.votes(3)
	if got := statuses(t, again); slices.Contains(got, "EMPTY") || slices.Contains(got, "RECOVERING") {
		t.Errorf("a disk that was full is no damage, and the member was %v", got)
	}
	run.finish()
}
