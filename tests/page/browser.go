// Package page looks at the web page of a member as people do: with a browser, Chromium, without a window. Where there is none
// the tests are skipped, and say so. With QUORUMLOG_SCREENSHOTS=dir they leave pictures there.
package page

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// patience bounds one answer of the browser.
const patience = 30 * time.Second

// browser is a Chromium that is spoken to over two pipes, in the protocol of its developer tools: JSON documents with a zero
// behind each.
type browser struct {
	t       *testing.T
	to      io.Writer
	answers chan answer
	last    int
	session string
}

type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// open starts a browser with one empty page. It ends with the test.
func open(t *testing.T) *browser {
	t.Helper()
	path := found()
	if path == "" {
		t.Skip("no Chromium on this machine: the page is not looked at (on Debian: apt-get install chromium)")
	}
	in, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	profile, err := os.MkdirTemp("", "quorumlog-page-")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
		"--disable-background-networking", "--remote-debugging-pipe", "--user-data-dir="+profile, "about:blank")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.ExtraFiles = []*os.File{in, out} // 3 and 4, as it expects them
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, to: to, answers: make(chan answer, 64)}
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // it, and its children; they have nothing to save
		_ = command.Wait()                                      // nor is how it ended of interest
		_ = errors.Join(to.Close(), from.Close())
		remove(t, profile)
	})
	if err := errors.Join(in.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	go b.read(from)
	b.attach()
	return b
}

// remove deletes the browser's directory, in which its children may write until the kernel has ended them.
func remove(t *testing.T, dir string) {
	t.Helper()
	again, late := time.NewTicker(10*time.Millisecond), time.After(5*time.Second)
	defer again.Stop()
	for {
		err := os.RemoveAll(dir)
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-late:
			t.Error(err)
			return
		}
	}
}

// found is the path of a browser; empty where there is none.
func found() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// read hands over the answers, and drops what was not asked.
func (b *browser) read(from io.Reader) {
	defer close(b.answers)
	documents := bufio.NewReader(from)
	for {
		text, err := documents.ReadBytes(0)
		if err != nil {
			return
		}
		var a answer
		if json.Unmarshal(text[:len(text)-1], &a) == nil && a.ID > 0 {
			b.answers <- a
		}
	}
}

// attach makes a page.
func (b *browser) attach() {
	b.t.Helper()
	var target struct {
		TargetID string `json:"targetId"`
	}
	b.ask(&target, "Target.createTarget", map[string]any{"url": "about:blank"})
	var session struct {
		SessionID string `json:"sessionId"`
	}
	b.ask(&session, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true})
	b.session = session.SessionID
}

// ask calls a method of the browser and waits for the result.
func (b *browser) ask(result any, method string, parameters map[string]any) {
	b.t.Helper()
	b.last++
	question := map[string]any{"id": b.last, "method": method, "params": parameters}
	if b.session != "" {
		question["sessionId"] = b.session
	}
	text, err := json.Marshal(question)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		b.t.Fatalf("the browser is gone: %v", err)
	}
	for end := time.After(patience); ; {
		select {
		case a, open := <-b.answers:
			switch {
			case !open:
				b.t.Fatalf("the browser ended at %s", method)
			case a.ID != b.last:
				continue
			case a.Error != nil:
				b.t.Fatalf("%s: %s", method, a.Error.Message)
			}
			if err := json.Unmarshal(a.Result, result); err != nil {
				b.t.Fatalf("%s: %v", method, err)
			}
			return
		case <-end:
			b.t.Fatalf("the browser has not answered %s after %v", method, patience)
		}
	}
}

// look opens a page in a window of this size. Dark has it ask for dark colours.
func (b *browser) look(url string, width, height int, dark bool) {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.ask(&struct{}{}, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}})
	b.ask(&struct{}{}, "Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500,
	})
	b.ask(&struct{}{}, "Page.navigate", map[string]any{"url": url})
}

// text evaluates an expression of JavaScript that yields a text.
func (b *browser) text(expression string) string {
	b.t.Helper()
	var outcome struct {
		Result struct {
			Value any `json:"value"`
		} `json:"result"`
	}
	b.ask(&outcome, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true})
	return fmt.Sprint(outcome.Result.Value)
}

// picture writes a screenshot of the whole page.
func (b *browser) picture(path string) {
	b.t.Helper()
	var shot struct {
		Data string `json:"data"`
	}
	b.ask(&shot, "Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true})
	image, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, image, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
