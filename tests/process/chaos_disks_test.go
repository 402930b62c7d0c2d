package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// snapshot copies the data directory of a running member as a machine is copied: at one moment.
func (c *Cluster) snapshot(id int) string {
	c.t.Helper()
	c.running[id].Signal(syscall.SIGSTOP)
	defer c.running[id].Signal(syscall.SIGCONT)
	c.running[id].awaitStopped()
	copied := filepath.Join(c.t.TempDir(), "snapshot")
	if err := os.CopyFS(copied, os.DirFS(c.Data(id))); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Chmod(copied, 0o700); err != nil {
		c.t.Fatal(err)
	}
	return copied
}

// rollDiskBack gives a member the disk that it had a while ago. It must be refused, since the others remember more; once
// the operator deletes the directory, it recovers.
func (c *chaos) rollDiskBack() {
	id := c.anyone()
	copied := c.snapshot(id)
	c.goesOn("after a copy of a disk was made")
	<-time.After(heard)
	c.goesOn("after it was heard of")
	c.kill(id)
	c.blows[len(c.blows)-1].what += ", and its disk rolled back"
	c.Cluster.rollBack(id, copied)
	c.counts["rolled back disks"]++
	p := c.StartMember(id)
	c.refusedDisk(p)
	delete(c.running, id)
	c.goesOn("without the disk that was rolled back")
	c.Wipe(id)
	c.back(id)
}

// refusedDisk waits for the end of a process whose disk the others know better.
func (c *chaos) refusedDisk(p *Process) {
	c.t.Helper()
	code := p.Wait()
	if said := p.Stderr.String(); code != 4 || !strings.Contains(said, "delete the directory") {
		c.t.Errorf("a disk that was rolled back ended its process with %d, and this:\n%s", code, said)
	}
}

// copyDisk starts a second process with a copy of a member's disk, at an address of its own. The member goes on.
func (c *chaos) copyDisk() {
	id := c.anyone()
	copied := c.snapshot(id)
	c.goesOn("after a copy of a disk was made")
	c.hit("%s has a second process with a copy of its disk", c.role(id))
	c.counts["copied disks"]++
	second := c.startCopy(id, copied)
	c.goesOn("with two processes of a member")
	<-time.After(heard)
	second.Kill()
	c.alive(id)
	c.votes(id)
	c.goesOn("with one process of every member")
}

// startCopy starts a process with a copy of a member's directory beside it.
func (c *Cluster) startCopy(id int, copied string) *Process {
	c.t.Helper()
	listen := FreePorts(c.t, 1)[0]
	return c.Start("serve", "--id", fmt.Sprint(id), "--data", copied, "--listen", listen)
}
