package process

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTopOnATerminalGoesOnUntilQ(t *testing.T) {
	t.Parallel()
	c := New(t, 3)
	c.StartAll()
	screen, tty := terminal(t)
	command := exec.Command(Build(t), "top")
	command.Env = environment("QUORUMLOG_MEMBERS="+c.Members, "NO_COLOR=1")
	command.Stdin, command.Stdout, command.Stderr = tty, tty, tty
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() { _ = command.Process.Kill() }) // it has ended, where all is well
	shown := &Output{}
	go func() { _, _ = io.Copy(shown, screen) }() // ends with the terminal
	Eventually(t, "it shows two views", func() (bool, string) {
		text := shown.String()
		return strings.Count(text, "all 3 members vote") >= 2, fmt.Sprintf("%q", text)
	})
	c.Kill(2)
	Eventually(t, "it shows who is gone", func() (bool, string) {
		return strings.Contains(shown.String(), "UNREACHABLE"), shown.String()
	})
	if _, err := screen.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("q ended it with %v", err)
	}
	Eventually(t, "it gives the terminal back", func() (bool, string) {
		text := shown.String()
		return strings.HasSuffix(text, "\x1b[?25h\x1b[?1049l"), fmt.Sprintf("%q", text[max(0, len(text)-100):])
	})
	if strings.Contains(shown.String(), "\x1b[3") {
		t.Error("it has colours in spite of NO_COLOR")
	}
}

// terminal returns both sides of a new terminal.
func terminal(t *testing.T) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminal can be made here: %v", err)
	}
	t.Cleanup(func() { _ = screen.Close() }) // nothing is to be saved
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skipf("no terminal can be made here: %v", err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() }) // as above
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 120}); err != nil {
		t.Fatal(err)
	}
	return screen, tty
}
