package process

import "testing"

func TestAQuorumIsOneOfTheVotersBeforeAChangeAndOfThoseAfterIt(t *testing.T) {
	three, four, others := []int{1, 2, 3}, []int{1, 2, 3, 4}, []int{1, 2, 4}
	for _, c := range []struct {
		voters [][]int
		able   []int
		want   bool
	}{
		{[][]int{three}, []int{1, 2}, true},
		{[][]int{three}, []int{1, 4}, false}, // 4 observes
		{[][]int{four}, []int{1, 2, 4}, true},
		{[][]int{four}, []int{1, 2}, false},
		{[][]int{three, four}, []int{1, 2}, false},
		{[][]int{three, four}, []int{1, 2, 4}, true},
		{[][]int{four, others}, []int{2, 3, 4}, true},
		{[][]int{three, others}, []int{2, 3}, false},
	} {
		able := map[int]bool{}
		for _, id := range c.able {
			able[id] = true
		}
		if got := quorate(c.voters, able); got != c.want {
			t.Errorf("%v of %v: %t", c.able, c.voters, got)
		}
	}
}
