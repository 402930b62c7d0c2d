package process

import (
	"testing"
	"time"
)

func TestAnAlarmTellsHowMuchTooLateOneIsWoken(t *testing.T) {
	before := alarm(time.Now().Add(time.Hour))
	if got := before(); got != 0 {
		t.Errorf("an hour before: %v", got)
	}
	past := alarm(time.Now().Add(-time.Minute))
	if got := past(); got < time.Minute {
		t.Errorf("a minute behind: %v", got)
	}
}
