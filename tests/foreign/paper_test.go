package foreign

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/messages"
)

// paper is docs/messages.md.
func paper(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "messages.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWhatIsShownIsWhatIsRun(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_test.go") {
			source.Write(text)
		}
	}
	fragments := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(paper(t), -1)
	for _, f := range fragments {
		if !strings.Contains(source.String(), f[1]) {
			t.Errorf("this is shown, and is no part of the program:\n%s", f[1])
		}
	}
	if len(fragments) < 10 {
		t.Errorf("only %d fragments are shown", len(fragments))
	}
}

func TestEveryRequestAndEveryCodeIsToldOf(t *testing.T) {
	text := paper(t)
	all := messages.File_log_proto.Messages()
	for i := range all.Len() {
		m := all.Get(i)
		first := m.Fields().ByNumber(1)
		if first == nil || first.Name() != "request" || m.Name() == "Header" {
			continue
		}
		if !strings.Contains(text, "`"+string(m.Name())+"`") {
			t.Errorf("nothing is said of %s", m.Name())
		}
	}
	codes := messages.Code(0).Descriptor().Values()
	for i := range codes.Len() {
		if name := string(codes.Get(i).Name()); name != "CODE_UNSPECIFIED" && !strings.Contains(text, name) {
			t.Errorf("nothing is said of %s", name)
		}
	}
}
