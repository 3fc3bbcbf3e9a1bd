package condition_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/ringback-dev/ringback/webhook/condition"
)

func TestManyScopesAtOnce(t *testing.T) {
	ev := evaluator(t)
	var wait sync.WaitGroup
	problems := make(chan error, 100)
	for worker := range 8 {
		wait.Go(func() {
			for i := range 60 {
				e := update(map[string]any{"company": fmt.Sprint("Company ", worker), "text": strings.Repeat("é", i), "i": i}, nil)
				s := ev.Begin(e)
				for _, test := range []expect{
					{fmt.Sprintf("company == 'Company %d'", worker), yes},
					{"company == 'Another company, with a name beyond sixteen bytes'", no},
					{fmt.Sprintf("text.length == %d && /^é*$/.test(text)", i), yes},
					{fmt.Sprintf("['a constant of more than sixteen bytes', %d].includes(i)", i), yes},
					{"profile.interests.mac && text.toUpperCase() == text", condition.Verdict(1 - min(i, 1))},
					{"null.x", fail},
				} {
					c, err := ev.Compile(test.source)
					if err != nil {
						problems <- err
						return
					}
					if got := s.Evaluate(c); got.Verdict != test.want && got.Class != condition.ClassDeadline {
						problems <- fmt.Errorf("%s: %+v, want %v", test.source, got, test.want)
					}
				}
				s.End()
			}
		})
	}
	wait.Wait()
	close(problems)
	for err := range problems {
		t.Error(err)
	}
}
