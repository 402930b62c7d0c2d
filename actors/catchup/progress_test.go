package catchup

import (
	"testing"
	"time"
)

func TestTimeThatIsLeftIsAHundredYearsAtMost(t *testing.T) {
	for n, want := range map[float64]time.Duration{0: 0, 1.5: 1500 * time.Millisecond, 1e10: maxLeft, 1e300: maxLeft} {
		if got := seconds(n); got != want {
			t.Errorf("%v seconds: got %v, want %v", n, got, want)
		}
	}
}
